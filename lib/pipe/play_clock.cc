#include "pipe/play_clock.h"

namespace rt {

Instant PlayClock::when(Duration at) const {
  if (paused_) return Instant::max();
  if (speed_ == kMaxSpeed) return anchor_;
  const auto since_base = static_cast<double>((at - base_).count());
  return anchor_ + Duration(static_cast<Duration::rep>(since_base / speed_));
}

Duration PlayClock::reading(Instant now) const {
  if (paused_ || speed_ == kMaxSpeed) return base_;
  const auto since_anchor = static_cast<double>((now - anchor_).count());
  return base_ + Duration(static_cast<Duration::rep>(since_anchor * speed_));
}

void PlayClock::pause(Instant now) {
  put_to(reading(now), now);
  paused_ = true;
}

void PlayClock::resume(Instant now) {
  paused_ = false;
  anchor_ = now;
}

void PlayClock::set_speed(double speed, Instant now) {
  put_to(reading(now), now);
  speed_ = speed;
}

void PlayClock::put_to(Duration at, Instant now) {
  base_ = at;
  anchor_ = now;
}

}  // namespace rt
