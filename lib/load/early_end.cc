// Ends a run as soon as a threshold with "abort" fails: what is known by now is held against it.
// Deliveries that have not arrived are not missing yet, so only what did arrive can end a run.
#include <fmt/format.h>

#include <algorithm>

#include "load/engine_run.h"
#include "load/threshold.h"

namespace rt {

bool EngineRun::ends_early(Instant now) {
  const auto& thresholds = scenario_.thresholds;
  const auto watched = [&](const Threshold& threshold) {
    return threshold.abort && now - start_ >= threshold.after;
  };
  if (std::none_of(thresholds.begin(), thresholds.end(), watched)) return false;
  Outcome so_far;
  for (std::size_t p = 0; p < scenario_.phases.size(); ++p) {
    PhaseOutcome& phase = so_far.phases.emplace_back();
    phase.name = scenario_.phases[p].name;
    phase.tag = scenario_.phases[p].tag;
    phase.measured = scenario_.phases[p].measure;
    phase.delivery = times_.delivery(p);
    phase.intended = times_.intended(p);
    phase.received = phase.expected = phase.delivery.count();
  }
  so_far.connections.asked = plan_.shards.connections;
  so_far.connections.failed[static_cast<std::size_t>(ConnectFailure::refused)] = gave_up();
  for (const Threshold& threshold : thresholds) {
    if (!watched(threshold) || threshold.times_baseline) continue;
    const ThresholdResult result = evaluate(threshold, so_far);
    if (result.state != ThresholdState::fail) continue;
    outcome_.broken_claim = fmt::format("{}: measured {} after {:.0f} s", threshold.text,
                                        result.measured_text, seconds_since_start(now));
    return true;
  }
  return false;
}

}  // namespace rt
