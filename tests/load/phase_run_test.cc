#include "load/phase_run.h"

#include <catch2/catch.hpp>

namespace {

using rt::PhaseRun;
using Step = PhaseRun::Step;
using std::chrono::milliseconds;
using std::chrono::seconds;

rt::PhaseSpec ramp_phase(std::uint64_t to) {
  rt::PhaseSpec phase;
  phase.name = "ramp";
  phase.connections = rt::ConnectionGoal{to, 100, rt::Arrival::constant};
  return phase;
}

rt::PhaseSpec hold_phase(rt::Duration hold) {
  rt::PhaseSpec phase;
  phase.name = "main";
  phase.hold = hold;
  phase.measure = true;
  return phase;
}

const rt::Instant kStart{seconds(1'000)};

}  // namespace

TEST_CASE("phase run: a ramp lasts until the goal is held", "[load][phase]") {
  rt::Scenario scenario;
  scenario.phases = {ramp_phase(10), hold_phase(seconds(1))};
  PhaseRun run(scenario);
  CHECK(run.advance(kStart, 0, 0) == Step::ramp_begins);
  CHECK(run.advance(kStart + seconds(1), 9, 9) == Step::none);
  CHECK(run.advance(kStart + seconds(2), 10, 10) == Step::hold_begins);
  CHECK(run.hold_begin() == kStart + seconds(2) + PhaseRun::kLead);
  CHECK(run.end() == run.hold_begin());
}

TEST_CASE("phase run: a ramp ends when all is settled, or its time is out", "[load][phase]") {
  rt::Scenario scenario;
  scenario.phases = {ramp_phase(1'000)};
  SECTION("given up for good counts as settled") {
    PhaseRun run(scenario);
    run.advance(kStart, 0, 0);
    CHECK(run.advance(kStart + seconds(1), 3, 1'000) == Step::hold_begins);
  }
  SECTION("twice the planned duration and 10 s") {
    PhaseRun run(scenario);
    run.advance(kStart, 0, 0);
    CHECK(run.advance(kStart + seconds(29), 3, 3) == Step::none);
    CHECK(run.advance(kStart + seconds(31), 3, 3) == Step::hold_begins);
  }
}

TEST_CASE("phase run: a phase until latencies settle may be cut, and ends at its max",
          "[load][phase]") {
  rt::Scenario scenario;
  scenario.phases = {hold_phase(seconds(2)), hold_phase(seconds(1))};
  scenario.phases[0].until_stationary = true;
  PhaseRun run(scenario);
  run.advance(kStart, 0, 0);
  CHECK(run.end() == run.hold_begin() + seconds(20));
  SECTION("cut") {
    run.cut(kStart + seconds(5));
    CHECK(run.advance(kStart + seconds(5), 0, 0) == Step::phase_ends);
    CHECK(run.advance(kStart + seconds(5), 0, 0) == Step::hold_begins);
    CHECK(run.hold_begin() == kStart + seconds(5));
  }
  SECTION("its max is ten times its hold, or as said") {
    CHECK(run.advance(kStart + seconds(20), 0, 0) == Step::none);
    CHECK(run.advance(kStart + seconds(21), 0, 0) == Step::phase_ends);
    scenario.phases[0].max = seconds(3);
    PhaseRun other(scenario);
    other.advance(kStart, 0, 0);
    CHECK(other.end() == other.hold_begin() + seconds(3));
  }
}

TEST_CASE("phase run: a phase begins at the instant the one before ends", "[load][phase]") {
  rt::Scenario scenario;
  scenario.phases = {hold_phase(seconds(1)), hold_phase(seconds(2))};
  PhaseRun run(scenario);
  CHECK(run.advance(kStart, 0, 0) == Step::hold_begins);
  const rt::Instant first_end = run.end();
  CHECK(first_end == kStart + PhaseRun::kLead + seconds(1));
  CHECK(run.advance(first_end - milliseconds(1), 0, 0) == Step::none);
  CHECK(run.advance(first_end + milliseconds(15), 0, 0) == Step::phase_ends);
  CHECK(run.advance(first_end + milliseconds(15), 0, 0) == Step::hold_begins);
  CHECK(run.index() == 1);
  CHECK(run.hold_begin() == first_end);
  CHECK(run.end() == first_end + seconds(2));
  CHECK(run.advance(run.end(), 0, 0) == Step::phase_ends);
  CHECK(run.advance(run.end(), 0, 0) == Step::run_ends);
  CHECK(run.advance(run.end(), 0, 0) == Step::none);
}

TEST_CASE("phase run: a hold can be cut short, not made longer", "[load][phase]") {
  rt::Scenario scenario;
  scenario.phases = {hold_phase(seconds(10))};
  PhaseRun run(scenario);
  run.advance(kStart, 0, 0);
  run.cut(kStart + seconds(60));
  CHECK(run.end() == kStart + PhaseRun::kLead + seconds(10));
  run.cut(kStart + seconds(1));
  CHECK(run.advance(kStart + seconds(1), 0, 0) == Step::phase_ends);
}
