// The sound run of tests/load with a scenario that can be read back, as rtbench run has it.
#pragma once

#include "load/presets.h"
#include "load/sound_outcome.h"
#include "report/json.h"

namespace rt::testing {

inline Scenario readable_scenario() {
  return parse_scenario(find_preset("runs")->json, "preset:runs",
                        {"thresholds=[{\"expr\": \"delivery.p95 < 300ms\"}]", "seed=42"})
      .value();
}

inline Outcome readable_outcome(const Scenario& scenario = readable_scenario()) {
  Outcome outcome = sound_outcome();
  outcome.scenario = scenario.name;
  outcome.scenario_sha256 = scenario.sha256;
  for (SecondSample& second : outcome.series) {
    Histogram histogram;
    for (std::int64_t n = 0; n < 600; ++n) histogram.record(2'000 + n * 33);
    second.delivery = histogram.sparse();
  }
  return outcome;
}

inline std::string json_of(const Scenario& scenario, const Outcome& outcome) {
  return json_report(scenario, outcome, judge(scenario, outcome));
}

}  // namespace rt::testing
