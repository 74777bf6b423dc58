#include "rtreplay/output.h"

#include <unistd.h>

#include <cerrno>

namespace rt::rtreplay {

Result<bool> Output::flush() {
  std::size_t put = 0;
  while (put < buffer_.size() && !closed_) {
    const ssize_t n = ::write(fd_, buffer_.data() + put, buffer_.size() - put);
    if (n >= 0) {
      put += static_cast<std::size_t>(n);
    } else if (errno == EPIPE) {
      closed_ = true;
    } else if (errno != EINTR) {
      return fail(os_error("cannot write to standard output", errno));
    }
  }
  buffer_.clear();
  return !closed_;
}

}  // namespace rt::rtreplay
