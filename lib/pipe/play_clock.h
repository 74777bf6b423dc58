// The time of a replay: recorded time, counted from its first event, that runs at a speed, stands
// still while paused, and can be put forward. Sans-IO: whoever asks says what time it is.
#pragma once

#include <limits>

#include "base/clock.h"

namespace rt {

inline constexpr double kMaxSpeed = std::numeric_limits<double>::infinity();

// One thread.
class PlayClock {
 public:
  explicit PlayClock(double speed) : speed_(speed) {}  // > 0

  // Recorded time is zero now.
  void start(Instant now) { anchor_ = now; }
  // When recorded time is, or was, `at`. At kMaxSpeed: everything since the clock was last set.
  // While it stands still: Instant::max().
  Instant when(Duration at) const;
  // Recorded time now. At kMaxSpeed what it was last set to.
  Duration reading(Instant now) const;

  void pause(Instant now);
  void resume(Instant now);
  void set_speed(double speed, Instant now);
  // Recorded time is `at` now, and goes on from there.
  void put_to(Duration at, Instant now);

  bool paused() const { return paused_; }
  double speed() const { return speed_; }

 private:
  double speed_;
  bool paused_ = false;
  // Recorded time was `base_` at `anchor_`; while paused it is `base_`.
  Instant anchor_{};
  Duration base_{0};
};

}  // namespace rt
