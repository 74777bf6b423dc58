// How long to wait before trying again: from 200 ms, doubled with each failure up to 10 s, with
// full jitter on the upper half, so that many consumers do not come back together. One thread.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace rt {

class Backoff {
 public:
  // Soon enough to be unnoticed after a restart, seldom enough not to hammer a server in trouble.
  static constexpr Duration kFirst = std::chrono::milliseconds(200);
  static constexpr Duration kLongest = std::chrono::seconds(10);

  explicit Backoff(Random random) : random_(random) {}

  // Counts a failure and says how long to wait after it.
  Duration next();
  // Something worked.
  void reset() { failures_ = 0; }
  std::uint32_t failures() const { return failures_; }  // in a row

 private:
  Random random_;
  std::uint32_t failures_ = 0;
};

// Waits that long; Code::cancelled as soon as cancel_fd is readable.
Result<void> pause_for(Duration duration, int cancel_fd);

}  // namespace rt
