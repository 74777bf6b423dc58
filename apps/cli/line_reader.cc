#include "cli/line_reader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace rt::cli {

Result<std::optional<std::string>> LineReader::next() {
  std::size_t searched = start_;
  for (;;) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos || (ended_ && start_ < buffer_.size())) {
      std::string line = buffer_.substr(start_, end - start_);
      start_ = end == std::string::npos ? buffer_.size() : end + 1;
      if (!line.empty() && line.back() == '\r') line.pop_back();
      ++number_;
      return line;
    }
    if (ended_) return std::nullopt;
    buffer_.erase(0, start_);
    start_ = 0;
    searched = buffer_.size();
    if (buffer_.size() > line_bytes_max_) {
      return fail(Code::usage, fmt::format("line {} of the input is longer than {} MiB",
                                           number_ + 1, line_bytes_max_ >> 20));
    }
    constexpr std::size_t kReadBytes = 64 * 1024;
    buffer_.resize(searched + kReadBytes);
    const ssize_t n = ::read(fd_, buffer_.data() + searched, kReadBytes);
    buffer_.resize(searched + static_cast<std::size_t>(n > 0 ? n : 0));
    if (n < 0 && errno != EINTR) return fail(os_error("cannot read the input", errno));
    ended_ = n == 0;
  }
}

}  // namespace rt::cli
