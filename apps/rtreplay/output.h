// Standard output of a filter: buffered, and silent when the reader has gone.
#pragma once

#include <string>

#include "base/result.h"

namespace rt::rtreplay {

// One thread.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) { buffer_.reserve(2 * kFlushBytes); }

  // Append to it, then call poll(); flush() at the end.
  std::string& buffer() { return buffer_; }
  // Writes when there is enough. False: the reader has closed the pipe, stop without a word.
  Result<bool> poll() { return buffer_.size() >= kFlushBytes ? flush() : Result<bool>(!closed_); }
  Result<bool> flush();

 private:
  static constexpr std::size_t kFlushBytes = 64 * 1024;  // the capacity of a pipe
  int fd_;
  bool closed_ = false;
  std::string buffer_;
};

}  // namespace rt::rtreplay
