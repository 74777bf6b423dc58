#include "load/outcome.h"

#include <numeric>

namespace rt {
namespace {

struct FailureRow {
  const char* name;
  Blame blame;
};

constexpr FailureRow kFailures[] = {
    {"descriptors", Blame::client},  {"ports", Blame::client},
    {"memory", Blame::client},       {"permission", Blame::client},
    {"unreachable", Blame::network}, {"refused", Blame::target},
    {"timed_out", Blame::target},    {"reset", Blame::target},
    {"closed", Blame::target},       {"tls", Blame::target},
    {"status", Blame::target},       {"content_type", Blame::target},
    {"protocol", Blame::target},
};
static_assert(std::size(kFailures) == kConnectFailures);

}  // namespace

const char* connect_failure_name(ConnectFailure failure) {
  return kFailures[static_cast<std::size_t>(failure)].name;
}

Blame connect_failure_blame(ConnectFailure failure) {
  return kFailures[static_cast<std::size_t>(failure)].blame;
}

const char* blame_name(Blame blame) {
  switch (blame) {
    case Blame::client:
      return "client";
    case Blame::network:
      return "network";
    case Blame::target:
      return "target";
  }
  return "unknown";
}

std::uint64_t ConnectionCounts::failed_total() const {
  return std::accumulate(failed.begin(), failed.end(), std::uint64_t{0});
}

std::uint64_t ConnectionCounts::failed_by(Blame blame) const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kConnectFailures; ++i) {
    if (kFailures[i].blame == blame) total += failed[i];
  }
  return total;
}

void ConnectionCounts::add(const ConnectionCounts& other) {
  asked += other.asked;
  held += other.held;
  dropped += other.dropped;
  absent += other.absent;
  not_tried += other.not_tried;
  for (std::size_t i = 0; i < failed.size(); ++i) failed[i] += other.failed[i];
  if (first_failure.empty()) first_failure = other.first_failure;
}

void PhaseOutcome::add(const PhaseOutcome& other) {
  offered += other.offered;
  sent += other.sent;
  skipped += other.skipped;
  skipped_by_target += other.skipped_by_target;
  acknowledged += other.acknowledged;
  publish_failed += other.publish_failed;
  retried += other.retried;
  events += other.events;
  expected += other.expected;
  received += other.received;
  untimed += other.untimed;
  replayed += other.replayed;
  late.add(other.late);
  publish.add(other.publish);
  delivery.add(other.delivery);
  intended.add(other.intended);
  commit_to_wire.add(other.commit_to_wire);
  receive_queue.add(other.receive_queue);
}

PhaseOutcome Outcome::measured() const {
  PhaseOutcome all;
  all.measured = true;
  for (const PhaseOutcome& one : phases) {
    if (!one.measured) continue;
    if (all.name.empty()) all.start_s = one.start_s;
    all.name += (all.name.empty() ? "" : "+") + one.name;
    all.duration_s += one.duration_s;
    all.add(one);
  }
  return all;
}

PhaseOutcome CohortOutcome::measured() const {
  PhaseOutcome all;
  all.measured = true;
  all.name = name;
  for (const PhaseOutcome& one : phases) {
    if (!one.measured) continue;
    all.duration_s += one.duration_s;
    all.add(one);
  }
  return all;
}

std::optional<PhaseOutcome> Outcome::phase(const std::string& name) const {
  for (const PhaseOutcome& one : phases) {
    if (one.name == name) return one;
  }
  return std::nullopt;
}

}  // namespace rt
