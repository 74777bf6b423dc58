#include "pipe/record_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace rt {
namespace {

// An entry: this, then the body.
struct EntryHead {
  std::uint32_t size = 0;
  std::uint32_t tag = 0;
  std::uint64_t lsn = 0;
};

Result<Fd> unnamed_file(const std::string& folder) {
  Fd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd) return fd;
  std::string name = folder + "/rt-waiting-XXXXXX";  // not every file system knows O_TMPFILE
  fd = Fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd) return fail(os_error("cannot create a file in " + folder, errno));
  ::unlink(name.c_str());
  return fd;
}

Result<void> read_at(int fd, std::string& into, std::uint64_t at) {
  std::size_t read = 0;
  while (read < into.size()) {
    const ssize_t n =
        ::pread(fd, into.data() + read, into.size() - read, static_cast<off_t>(at + read));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(os_error("cannot read a kept transaction back", errno));
    read += static_cast<std::size_t>(n);
  }
  return {};
}

}  // namespace

Result<void> RecordSpool::keep(const std::string& folder, std::uint32_t tag, std::uint64_t lsn,
                               char letter, std::string_view rest) {
  const EntryHead head{static_cast<std::uint32_t>(rest.size() + 1), tag, lsn};
  tail_.append(reinterpret_cast<const char*>(&head), sizeof head);
  tail_ += letter;
  tail_ += rest;
  return tail_.size() >= kMemoryMax ? spill(folder) : Result<void>();
}

Result<void> RecordSpool::spill(const std::string& folder) {
  if (!file_) file_ = RT_TRY(unnamed_file(folder));
  std::string_view left = tail_;
  while (!left.empty()) {
    const ssize_t n = ::write(file_.get(), left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(os_error("cannot keep a transaction in " + folder, errno));
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  bytes_ += tail_.size();
  tail_.clear();
  return {};
}

Result<void> RecordSpool::each(const Visit& visit) const {
  std::string part;  // of the file: whole entries, as many as a spill wrote, and the rest of one
  for (std::uint64_t at = 0; at < bytes_;) {
    part.resize(sizeof(EntryHead));
    RT_CHECKED(read_at(file_.get(), part, at));
    EntryHead head;
    std::memcpy(&head, part.data(), sizeof head);
    const std::uint64_t one = sizeof head + std::uint64_t{head.size};
    part.resize(std::min(bytes_ - at, std::max<std::uint64_t>(kMemoryMax, one)));
    RT_CHECKED(read_at(file_.get(), part, at));
    at += RT_TRY(visit_entries(part, visit));
  }
  RT_TRY(visit_entries(tail_, visit));
  return {};
}

// Whole entries only; the bytes they have.
Result<std::size_t> RecordSpool::visit_entries(std::string_view entries, const Visit& visit) {
  std::size_t at = 0;
  EntryHead head;
  while (entries.size() - at >= sizeof head) {
    std::memcpy(&head, entries.data() + at, sizeof head);
    if (entries.size() - at - sizeof head < head.size) break;
    RT_CHECKED(visit(head.tag, head.lsn, entries.substr(at + sizeof head, head.size)));
    at += sizeof head + head.size;
  }
  return at;
}

}  // namespace rt
