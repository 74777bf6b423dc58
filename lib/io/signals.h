// Signals as descriptors to be watched. Construct before any thread starts, so that every thread
// inherits the blocked mask.
#pragma once

#include <initializer_list>

#include "base/fd.h"
#include "base/result.h"

namespace rt::io {

// Readable when one of these is pending: read a signalfd_siginfo from it. Blocks them.
Result<Fd> signal_descriptor(std::initializer_list<int> signals);
// The next one that is pending, or 0.
int take_signal(const Fd& descriptor);

// SIGINT and SIGTERM.
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
