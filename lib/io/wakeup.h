// Wakes a thread that waits in a Poller. Many threads may ring; one waits.
// Rings between two answers cost one system call in all.
#pragma once

#include <atomic>

#include "base/fd.h"
#include "base/result.h"

namespace rt::io {

class Wakeup {
 public:
  static Result<Wakeup> create();
  Wakeup(Wakeup&& other) noexcept : fd_(std::move(other.fd_)) {}

  // To be watched for reading.
  int fd() const { return fd_.get(); }
  // Any thread.
  void ring();
  // The waiting thread, before it looks at its queues.
  void answer();

 private:
  explicit Wakeup(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
  std::atomic<bool> rung_{false};
};

}  // namespace rt::io
