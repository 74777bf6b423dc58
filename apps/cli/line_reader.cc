#include "cli/line_reader.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

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
    RT_CHECKED(wait());
    constexpr std::size_t kReadBytes = 64 * 1024;
    buffer_.resize(searched + kReadBytes);
    const ssize_t n = ::read(fd_, buffer_.data() + searched, kReadBytes);
    buffer_.resize(searched + static_cast<std::size_t>(n > 0 ? n : 0));
    if (n < 0 && errno != EINTR) return fail(os_error("cannot read the input", errno));
    ended_ = n == 0;
  }
}

Result<void> LineReader::wait() const {
  if (stop_fd_ < 0 && !deadline_) return {};
  const SystemClock clock;
  for (;;) {
    int timeout_ms = -1;
    if (deadline_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - clock.now());
      timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
    }
    pollfd waits[2] = {{fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
    const int ready = ::poll(waits, 2, timeout_ms);
    const bool over = deadline_ && clock.now() >= *deadline_;
    if (waits[1].revents != 0 || (ready == 0 && over)) {
      return fail(Code::cancelled, "stopped reading the input");
    }
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail(os_error("cannot read the input", errno));
  }
}

}  // namespace rt::cli
