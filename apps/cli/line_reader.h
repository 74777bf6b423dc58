// Lines of standard input, one at a time, with a bound: a file without line ends is refused, not
// swallowed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace rt::cli {

class LineReader {
 public:
  // line_bytes_max: no shorter than the largest event that a stream carries (16 MiB).
  explicit LineReader(int fd, std::size_t line_bytes_max = 16u << 20)
      : fd_(fd), line_bytes_max_(line_bytes_max) {}

  // Waits end with Code::cancelled when stop_fd is readable, or after the deadline.
  void limit(int stop_fd, std::optional<Instant> deadline) {
    stop_fd_ = stop_fd;
    deadline_ = deadline;
  }

  // The next line without its end (LF or CRLF); nullopt at the end of the input.
  Result<std::optional<std::string>> next();
  // Of the line last returned, from 1.
  std::size_t number() const { return number_; }

 private:
  Result<void> wait() const;

  int fd_;
  std::size_t line_bytes_max_;
  int stop_fd_ = -1;
  std::optional<Instant> deadline_;
  std::string buffer_;
  std::size_t start_ = 0;
  std::size_t number_ = 0;
  bool ended_ = false;
};

}  // namespace rt::cli
