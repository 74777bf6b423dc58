#include "load/phase_run.h"

#include <algorithm>

namespace rt {

Duration PhaseRun::ramp_max() const {
  const PhaseSpec& phase = spec();
  if (phase.max > Duration::zero()) return phase.max;
  const double planned_s =
      static_cast<double>(phase.connections->to) / phase.connections->rate_per_s;
  return std::chrono::seconds(10) +
         std::chrono::duration_cast<Duration>(std::chrono::duration<double>(2 * planned_s));
}

void PhaseRun::hold_from(Instant at) {
  state_ = State::holding;
  hold_begin_ = at;
  end_ = at + (spec().until_stationary ? spec().longest_hold() : spec().hold);
}

PhaseRun::Step PhaseRun::advance(Instant now, std::uint64_t held, std::uint64_t settled) {
  switch (state_) {
    case State::before:
      begin_ = now + kLead;
      state_ = State::starting;
      [[fallthrough]];
    case State::starting:
      if (index_ >= scenario_.phases.size()) {
        state_ = State::over;
        return Step::run_ends;
      }
      if (spec().connections) {
        state_ = State::ramping;
        return Step::ramp_begins;
      }
      hold_from(begin_);
      return Step::hold_begins;
    case State::ramping: {
      const std::uint64_t goal = spec().connections->to;
      if (held < goal && settled < goal && now < begin_ + ramp_max()) return Step::none;
      hold_from(std::max(begin_, now + kLead));
      return Step::hold_begins;
    }
    case State::holding:
      if (now < end_) return Step::none;
      state_ = State::ended;
      return Step::phase_ends;
    case State::ended:
      begin_ = end_;
      ++index_;
      state_ = State::starting;
      return advance(now, held, settled);
    case State::over:
      return Step::none;
  }
  return Step::none;
}

}  // namespace rt
