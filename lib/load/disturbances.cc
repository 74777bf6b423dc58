#include "load/disturbances.h"

namespace rt {

Disturbances::Disturbances(const Scenario& scenario) {
  const auto plan = [&](Due::Kind kind, std::size_t index, Moment moment) {
    planned_.push_back({{kind, index, Instant{}}, moment});
  };
  for (std::size_t i = 0; i < scenario.cohorts.size(); ++i) {
    plan(Due::Kind::cohort, i, {scenario.cohorts[i].from_phase, Duration::zero()});
  }
  for (std::size_t i = 0; i < scenario.reconnect.storms.size(); ++i) {
    plan(Due::Kind::storm, i, scenario.reconnect.storms[i].at);
  }
  for (std::size_t i = 0; i < scenario.faults.size(); ++i) {
    plan(Due::Kind::fault, i, scenario.faults[i].at);
  }
}

void Disturbances::phase_begins(std::size_t phase, Instant at) {
  for (Planned& one : planned_) {
    if (one.timed || one.moment.phase != phase) continue;
    one.timed = true;
    one.due.at = at + one.moment.after;
  }
}

std::optional<Disturbances::Due> Disturbances::next(Instant now) {
  Planned* first = nullptr;
  for (Planned& one : planned_) {
    if (one.done || !one.timed || one.due.at > now) continue;
    if (first == nullptr || one.due.at < first->due.at) first = &one;
  }
  if (first == nullptr) return std::nullopt;
  first->done = true;
  return first->due;
}

}  // namespace rt
