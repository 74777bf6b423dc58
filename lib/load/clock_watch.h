// Watches this host's two clocks against each other. Commits carry the wall clock, reads the
// monotonic one; their difference changes slowly while NTP slews (at most 500 us a second) and at
// once when somebody sets the clock, which makes latencies across it meaningless. One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "load/outcome.h"

namespace rt {

class ClockWatch {
 public:
  explicit ClockWatch(const Clock& clock) : clock_(clock) {}

  // Takes a sample. Returns wall minus monotonic, in nanoseconds.
  std::int64_t sample();
  // Mode, error bound and steps so far.
  ClockProof proof() const;

 private:
  const Clock& clock_;
  std::optional<Instant> last_at_;
  std::int64_t offset_ns_ = 0;
  std::int64_t read_gap_ns_ = 0;  // the largest that a best sample took
  ClockProof proof_;
};

}  // namespace rt
