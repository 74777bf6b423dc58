#include "load/scenario.h"

#include <algorithm>

#include "base/text.h"

namespace rt {

const char* preset_name(Preset preset) {
  switch (preset) {
    case Preset::runs:
      return "runs";
    case Preset::topics:
      return "topics";
    case Preset::raw:
      return "raw";
  }
  return "unknown";
}

const char* producer_name(ProducerKind kind) {
  switch (kind) {
    case ProducerKind::pg_update:
      return "pg-update";
    case ProducerKind::pg_insert:
      return "pg-insert";
    case ProducerKind::http_post:
      return "http-post";
  }
  return "unknown";
}

std::string SubscriptionSpec::topic_name(std::uint64_t topic) const {
  std::string out = name;
  const std::size_t at = out.find("{n}");
  if (at != std::string::npos) out.replace(at, 3, std::to_string(topic));
  return out;
}

std::uint64_t Scenario::connections() const {
  std::uint64_t most = 0;
  for (const PhaseSpec& phase : phases) {
    if (phase.connections) most = std::max(most, phase.connections->to);
  }
  return most;
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
