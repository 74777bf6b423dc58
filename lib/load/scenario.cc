#include "load/scenario.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace rt {

const char* preset_name(Preset preset) {
  switch (preset) {
    case Preset::runs:
      return "runs";
    case Preset::topics:
      return "topics";
    case Preset::events:
      return "events";
    case Preset::realtime:
      return "realtime";
    case Preset::jobs:
      return "jobs";
    case Preset::raw:
      return "raw";
  }
  return "unknown";
}

std::string SubscriptionSpec::topic_name(std::uint64_t topic) const {
  if (names) return (*names)[topic];
  std::string out = name;
  const std::size_t at = out.find("{n}");
  if (at != std::string::npos) out.replace(at, 3, std::to_string(topic));
  const std::size_t uuid = out.find("{uuid}");
  // Version 8 (RFC 9562): the rest is ours to fill.
  if (uuid != std::string::npos) {
    out.replace(uuid, 6, fmt::format("72746265-6e63-8000-8000-{:012x}", topic));
  }
  return out;
}

std::uint32_t Scenario::max_in_flight() const {
  std::uint32_t sum = 0;
  for (const PublishSpec& spec : publish) sum += spec.max_in_flight;
  return std::max(sum, 1U);
}

std::uint64_t Scenario::connections() const {
  std::uint64_t most = 0;
  for (const PhaseSpec& phase : phases) {
    if (phase.connections) most = std::max(most, phase.connections->to);
  }
  return most;
}

std::vector<bool> Scenario::measured_phases() const {
  std::vector<bool> measured;
  for (const PhaseSpec& phase : phases) measured.push_back(phase.measure);
  return measured;
}

std::size_t Scenario::publish_begin() const {
  if (publish.empty()) return publish_end();
  const auto holds = [](const PhaseSpec& phase) { return phase.hold > Duration::zero(); };
  const auto first = std::find_if(phases.begin(), phases.end(), holds);
  return std::min(static_cast<std::size_t>(first - phases.begin()), publish_end());
}

std::size_t Scenario::publish_end() const {
  for (std::size_t i = phases.size(); i > 0; --i) {
    if (phases[i - 1].measure) return i;
  }
  return 0;
}

}  // namespace rt
