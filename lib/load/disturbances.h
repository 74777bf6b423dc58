// What a scenario does to its own run, by the clock of its phases: cohorts that begin, storms,
// faults of the proxy, commands. Told when phases begin, it says what is due. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "load/scenario.h"

namespace rt {

class Disturbances {
 public:
  explicit Disturbances(const Scenario& scenario);

  struct Due {
    enum class Kind : std::uint8_t { cohort, storm, fault };
    Kind kind = Kind::cohort;
    std::size_t index = 0;  // in the scenario
    Instant at{};
  };
  // The first word about a phase counts.
  void phase_begins(std::size_t phase, Instant at);
  // The next that is due by `now`, in order of time.
  std::optional<Due> next(Instant now);

 private:
  struct Planned {
    Due due;
    Moment moment;
    bool timed = false;  // its phase has begun
    bool done = false;
  };
  std::vector<Planned> planned_;
};

}  // namespace rt
