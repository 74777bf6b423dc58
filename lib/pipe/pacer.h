// When each event of a recording is due when it is played again. One absolute schedule:
//   due(e) = T0 + (t(e) - t(first)) / speed
// so that a late event delays none after it and errors never add up. Somebody who steers the replay
// moves the schedule as a whole (play_clock.h). Sans-IO: no clock, no sleeping.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "pipe/play_clock.h"

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

struct PacerOptions {
  double speed = 1.0;  // > 0; kMaxSpeed: everything is due at once
  // Pauses of the recording longer than this are shortened to it (in recorded time, before speed).
  std::optional<Duration> max_gap;
};

// One thread.
class Pacer {
 public:
  explicit Pacer(PacerOptions options) : options_(options), clock_(options.speed) {}

  // When the event recorded at `t_us` is due; Instant::max() while paused. Times must not decrease
  // (use a running maximum); the first call sets T0 to `now`.
  Instant due(std::int64_t t_us, Instant now);
  // The event was handed on.
  void handed_on(Instant due, Instant now);
  // The recording starts over: what comes next is due right after what was last due.
  void start_over() { restarted_ = true; }

  void pause(Instant now) { clock_.pause(now); }
  void resume(Instant now) { clock_.resume(now); }
  void set_speed(double speed, Instant now);
  // The event asked about last is due now, and the schedule goes on from it.
  void continue_from(Instant now) { clock_.put_to(recorded_, now); }
  // The same if it would be due later.
  void hurry(Instant now);

  bool paced() const { return clock_.speed() != kMaxSpeed; }
  bool paused() const { return clock_.paused(); }
  double speed() const { return clock_.speed(); }
  const LatenessHistogram& lateness() const { return lateness_; }
  Duration recorded() const { return recorded_; }  // time passed in the recording, gaps shortened

 private:
  PacerOptions options_;
  PlayClock clock_;
  LatenessHistogram lateness_;
  bool started_ = false;
  std::int64_t before_us_ = 0;
  Duration recorded_{0};
  bool restarted_ = false;
};

}  // namespace rt
