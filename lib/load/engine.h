// Runs a scenario: shards that subscribe, a publisher that keeps the schedule, and a control thread
// (the caller's) that moves the phases on, times the deliveries, watches clocks and processes, and
// adds everything up. See docs/architecture.md, "The load engine".
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "load/outcome.h"
#include "load/plan.h"
#include "load/scenario.h"
#include "load/thread_use.h"
#include "load/workload_share.h"
#include "pipe/commit_times.h"
#include "pipe/event_producer.h"

namespace rt {

// Where the run stands; once a second, for a person.
struct EngineProgress {
  std::string phase;
  double elapsed_s = 0;
  double phase_left_s = 0;  // 0 while ramping
  std::uint64_t asked = 0;
  std::uint64_t gave_up = 0;
  SecondSample second;
};

struct EngineParts {
  EventProducer* producer = nullptr;  // nullptr: nothing is published
  CommitTimes* commits = nullptr;     // nullptr: delivery counts from the intended instant
  // Waits at most that long; returns the number of a signal that asks to stop, else 0.
  std::function<int(std::chrono::milliseconds)> pause;
  std::function<void(const EngineProgress&)> progress;  // may be empty
  std::function<void(std::string_view)> say;            // a fact in one line; may be empty
  // What the target uses of its machine, as last seen; may be empty. A pid file goes first.
  std::function<std::optional<TargetSample>()> target_use;
  std::string tool_version;
  std::string scenario = "SCENARIO";  // as the user named it, for commands in messages
  ShardOf share;                      // of a run on several machines
  std::string run_id;                 // of such a run
  // Waits for the common start when everything is ready; may be empty.
  std::function<Result<void>()> await_start;
};

// What the scenario asks of this machine; resolves the target's name.
Result<LoadNeeds> load_needs(const Scenario& scenario);

// Blocks until the run has ended, by plan, by a signal or because it cannot go on. Errors are what
// keeps a run from beginning (Code::usage, unreachable, limit); everything later is in the Outcome.
Result<Outcome> run_scenario(const Scenario& scenario, const EngineParts& parts,
                             const Clock& clock);

}  // namespace rt
