#include "load/clock_watch.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace rt {
namespace {

// A slew is at most 500 ppm (adjtimex(2)); what a preempted sample adds is kept out by taking the
// tightest of a few. Anything beyond is a step.
constexpr std::int64_t kSlewPpm = 500;
constexpr std::int64_t kStepNs = 500'000;
constexpr int kTries = 3;

}  // namespace

std::int64_t ClockWatch::sample() {
  std::int64_t best_gap = std::numeric_limits<std::int64_t>::max();
  std::int64_t best_offset = 0;
  Instant at{};
  for (int i = 0; i < kTries; ++i) {
    const Instant before = clock_.now();
    const std::int64_t wall_ns = unix_us(clock_.wall()) * 1'000;
    const Instant after = clock_.now();
    const std::int64_t gap = (after - before).count();
    if (gap >= best_gap) continue;
    best_gap = gap;
    best_offset = wall_ns - before.time_since_epoch().count() - gap / 2;
    at = after;
  }
  if (last_at_) {
    const std::int64_t elapsed = (at - *last_at_).count();
    const std::int64_t moved = std::abs(best_offset - offset_ns_);
    if (moved > kStepNs + elapsed / 1'000'000 * kSlewPpm + best_gap) {
      ++proof_.steps;
      proof_.largest_step_us =
          std::max(proof_.largest_step_us, static_cast<double>(moved) / 1'000.0);
    }
  }
  last_at_ = at;
  offset_ns_ = best_offset;
  read_gap_ns_ = std::max(read_gap_ns_, best_gap);
  return offset_ns_;
}

ClockProof ClockWatch::proof() const {
  ClockProof proof = proof_;
  // Half the gap of the samples, and a microsecond for the resolution of both ends.
  proof.error_us = static_cast<double>(read_gap_ns_) / 2'000.0 + 1.0;
  return proof;
}

}  // namespace rt
