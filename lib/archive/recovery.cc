#include "archive/recovery.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace rt::archive {
namespace {

// Copies [from, to) of the segment to a file beside it that does not exist yet.
Result<std::string> save_tail(const SegmentFile& file, std::uint64_t from, std::uint64_t to) {
  std::string path;
  Fd copy;
  for (int attempt = 0; !copy; ++attempt) {
    path = attempt == 0 ? file.path() + ".torn" : fmt::format("{}.torn.{}", file.path(), attempt);
    copy = Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!copy && errno != EEXIST) return fail(os_error("cannot create " + path, errno));
  }
  constexpr std::size_t kChunk = 1024 * 1024;
  std::string bytes;
  while (from < to) {
    RT_CHECKED(file.read_at(
        from, static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, to - from)), bytes));
    if (bytes.empty()) break;
    if (::write(copy.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      return fail(os_error("cannot write " + path, errno));
    }
    from += bytes.size();
  }
  if (::fsync(copy.get()) != 0) return fail(os_error("cannot make durable " + path, errno));
  return path;
}

}  // namespace

Result<Recovery> repair_tail(const SegmentFile& file, SegmentScan& scan, OnDamage on_damage) {
  Recovery recovery;
  if (!scan.damages.empty()) {
    const Damage& damage = scan.damages.front();
    if (!damage.torn && on_damage == OnDamage::strict) {
      return fail(
          Code::integrity, damage.text(),
          "nothing was changed; read it with --recover salvage, and record into a new archive");
    }
    recovery.saved_as = RT_TRY(save_tail(file, damage.offset, scan.file_bytes));
    recovery.torn_bytes = scan.file_bytes - damage.offset;
  }
  // Index and footer go as well: they are written anew when the recording is closed again.
  if (scan.file_bytes > scan.data_end) {
    RT_CHECKED(file.truncate(scan.data_end));
    RT_CHECKED(file.sync());
    RT_CHECKED(sync_directory_of(file.path()));
  }
  scan.end = scan.file_bytes = scan.data_end;
  scan.footer.reset();
  scan.damages.clear();
  return recovery;
}

}  // namespace rt::archive
