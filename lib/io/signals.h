// SIGINT and SIGTERM as a descriptor to be watched. Construct before any thread starts, so that
// every thread inherits the blocked mask.
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace rt::io {

class StopSignals {
 public:
  static Result<StopSignals> create();
  int fd() const { return fd_.get(); }
  // 0 if none is pending, else SIGINT or SIGTERM.
  int take();
  // Waits for the next one, at most `timeout_ms` (-1: for ever). 0 on timeout.
  int wait(int timeout_ms);

 private:
  explicit StopSignals(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace rt::io
