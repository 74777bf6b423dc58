#include "rtctl/event_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace rt::rtctl {

Result<EventOutput> EventOutput::open(const std::string& path,
                                      std::optional<std::uint64_t> keep_bytes) {
  EventOutput output;
  if (path.empty() || path == "-") return output;
  output.path_ = path;
  const int emptied = keep_bytes ? 0 : O_TRUNC;
  output.file_ = Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | emptied, 0666));
  if (!output.file_) return fail(os_error("cannot write to " + path, errno, Code::usage));
  if (!keep_bytes) return output;
  struct stat found {};
  if (::fstat(output.file_.get(), &found) != 0)
    return fail(os_error("cannot look at " + path, errno));
  const auto length = static_cast<std::uint64_t>(found.st_size);
  if (length < *keep_bytes) {
    return fail(Code::usage,
                fmt::format("{} has {} bytes where its state says {}: events are missing from it",
                            path, length, *keep_bytes),
                "put the file back, or remove the state file to begin anew");
  }
  const auto end = static_cast<off_t>(*keep_bytes);
  if (::ftruncate(output.file_.get(), end) != 0 || ::lseek(output.file_.get(), end, SEEK_SET) < 0) {
    return fail(os_error("cannot cut " + path, errno));
  }
  output.bytes_ = *keep_bytes;
  return output;
}

bool EventOutput::flush() {
  std::string_view left = pending_;
  while (!left.empty() && !reader_gone_ && !error_) {
    const ssize_t n = ::write(fd(), left.data(), left.size());
    if (n >= 0) {
      left.remove_prefix(static_cast<std::size_t>(n));
      bytes_ += static_cast<std::uint64_t>(n);
    } else if (errno == EPIPE) {
      reader_gone_ = true;
    } else if (errno != EINTR) {
      error_ = os_error("cannot write the output", errno);
    }
  }
  pending_.clear();
  return !reader_gone_ && !error_;
}

Result<void> EventOutput::sync() {
  if (!file_ || ::fdatasync(file_.get()) == 0 || errno == EINVAL) return {};
  return fail(os_error("cannot sync " + path_, errno));
}

}  // namespace rt::rtctl
