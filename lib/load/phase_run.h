// Which phase a run is in, and when the next begins. Pure: told the time and what is held.
// A phase with a connection goal ramps until the goal holds (or its time is out), then holds; one
// without holds at once. One thread.
#pragma once

#include <cstddef>
#include <optional>

#include "base/clock.h"
#include "load/scenario.h"

namespace rt {

class PhaseRun {
 public:
  // Instants between a decision and what it schedules, so that an absolute schedule can begin on
  // time.
  static constexpr Duration kLead = std::chrono::milliseconds(50);

  explicit PhaseRun(const Scenario& scenario) : scenario_(scenario) {}

  enum class Step : std::uint8_t {
    none,
    ramp_begins,  // at begin()
    hold_begins,  // at hold_begin(), until end()
    phase_ends,   // at end(); the next step begins the next phase
    run_ends,     // every phase is over
  };
  // Call until it returns none. `held`: connections open now; `settled`: held, or given up for
  // good.
  Step advance(Instant now, std::uint64_t held, std::uint64_t settled);

  std::size_t index() const { return index_; }
  const PhaseSpec& spec() const { return scenario_.phases[index_]; }
  Instant begin() const { return begin_; }
  Instant hold_begin() const { return hold_begin_; }
  Instant end() const { return end_; }
  bool is_holding() const { return state_ == State::holding; }
  // Ends the hold of this phase at `at`, if that is earlier.
  void cut(Instant at) {
    if (state_ == State::holding && at < end_) end_ = at;
  }

 private:
  enum class State : std::uint8_t { before, starting, ramping, holding, ended, over };
  Duration ramp_max() const;
  void hold_from(Instant at);

  const Scenario& scenario_;
  State state_ = State::before;
  std::size_t index_ = 0;
  Instant begin_{};
  Instant hold_begin_{};
  Instant end_{};
};

}  // namespace rt
