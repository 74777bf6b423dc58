// How far another host's clock is from ours, by asking it what time it is: a round trip bounds the
// difference by half of what it took (RFC 5905 section 8). Between two questions the bound widens
// by what two clocks that are being slewed can drift apart; of an old bound and a new one the
// tighter holds. Sans-IO. One thread at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "base/clock.h"

namespace rt {

struct ClockOffset {
  std::int64_t offset_us = 0;  // the other clock minus ours
  std::int64_t error_us = 0;   // that may be off by so much; 0: it is the same clock
  std::uint64_t steps = 0;     // jumps of the other clock that no slew explains
  std::int64_t largest_step_us = 0;
};

class ClockProbe {
 public:
  // Ours before the question and after the answer, theirs in between, in microseconds since 1970.
  // at: after the answer.
  void take(std::int64_t before_us, std::int64_t theirs_us, std::int64_t after_us, Instant at) {
    const std::int64_t error_us = (after_us - before_us) / 2 + 1;
    const std::int64_t offset_us = theirs_us - before_us - (after_us - before_us) / 2;
    const std::int64_t known_to_us = at_ ? error_at(at) : 0;
    const std::int64_t moved_us = std::abs(offset_us - now_.offset_us);
    if (at_ && moved_us > error_us + known_to_us) {
      ++now_.steps;
      now_.largest_step_us = std::max(now_.largest_step_us, moved_us);
    } else if (at_ && error_us > known_to_us) {
      return;
    }
    now_.offset_us = offset_us;
    now_.error_us = error_us;
    at_ = at;
  }

  ClockOffset result(Instant now) const {
    ClockOffset result = now_;
    result.error_us = at_ ? error_at(now) : 0;
    return result;
  }

 private:
  // Two clocks, each slewed by up to 500 ppm (adjtimex(2)).
  static constexpr std::int64_t kDriftPpm = 1'000;

  std::int64_t error_at(Instant now) const {
    const auto age = std::chrono::duration_cast<std::chrono::microseconds>(now - *at_);
    return now_.error_us + age.count() * kDriftPpm / 1'000'000;
  }

  std::optional<Instant> at_;  // of what holds
  ClockOffset now_;
};

}  // namespace rt
