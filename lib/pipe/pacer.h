// When each event of a recording is due when it is played again. One absolute schedule:
//   due(e) = T0 + (t(e) - t(first)) / speed
// so that a late event delays none after it and errors never add up. Sans-IO: no clock, no
// sleeping.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/clock.h"

namespace rt {

// How late events were handed on; log-linear buckets, 1/16 wide, 1 us to 70 minutes. One thread.
class LatenessHistogram {
 public:
  void add(Duration late);
  std::uint64_t count() const { return count_; }
  // Upper bound of the bucket that holds the quantile, exact for the maximum. 0 <= quantile <= 1.
  Duration quantile(double quantile) const;
  Duration max() const { return max_; }

 private:
  static constexpr unsigned kSubBits = 4;
  static constexpr unsigned kBuckets = (32 - kSubBits + 1) << kSubBits;
  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  Duration max_{0};
};

inline constexpr double kMaxSpeed = std::numeric_limits<double>::infinity();

struct PacerOptions {
  double speed = 1.0;  // > 0; kMaxSpeed: everything is due at once
  // Pauses of the recording longer than this are shortened to it (in recorded time, before speed).
  std::optional<Duration> max_gap;
};

// One thread.
class Pacer {
 public:
  explicit Pacer(PacerOptions options) : options_(options) {}

  // When the event recorded at `t_us` is due. Times must not decrease (use a running maximum); the
  // first call sets T0 to `now`.
  Instant due(std::int64_t t_us, Instant now);
  // The event was handed on.
  void handed_on(Instant due, Instant now);
  // The recording starts over: what comes next is due right after what was last due.
  void start_over() { restarted_ = true; }

  bool paced() const { return options_.speed != kMaxSpeed; }
  const LatenessHistogram& lateness() const { return lateness_; }
  Duration recorded() const { return recorded_; }  // time passed in the recording, gaps shortened

 private:
  PacerOptions options_;
  LatenessHistogram lateness_;
  std::optional<Instant> start_;
  std::int64_t before_us_ = 0;
  Duration recorded_{0};
  bool restarted_ = false;
};

}  // namespace rt
