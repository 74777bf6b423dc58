#include "load/workload_share.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "load/schedule.h"

namespace rt {

Result<ShardOf> parse_shard(std::string_view text) {
  // More machines than that would be idle for any target there is.
  constexpr std::uint64_t kMost = 10'000;
  const std::vector<std::string_view> parts = split(text, '/');
  const auto number = parse_decimal(parts[0]);
  const auto count = parts.size() == 2 ? parse_decimal(parts[1]) : std::nullopt;
  if (!number || !count || *number >= *count || *count > kMost) {
    return fail(Code::usage, fmt::format("--shard {}: expected i/n with i from 0 to n-1", text),
                "the first of four shards is 0/4, the last 3/4");
  }
  return ShardOf{static_cast<unsigned>(*number), static_cast<unsigned>(*count)};
}

Result<WorkloadShare> WorkloadShare::of(const Scenario& scenario, const ShardOf& shard) {
  WorkloadShare share(scenario);
  if (shard.count == 1) return share;
  if (scenario.subscriptions.topics < shard.count) {
    return fail(Code::usage,
                fmt::format("{} topics cannot be shared by {} shards: a topic lives on one of them",
                            scenario.subscriptions.topics, shard.count),
                "use as many shards as topics, or fewer");
  }
  if (scenario.subscriptions.most_topics > 1) {
    return fail(
        Code::usage,
        "a run of several topics a connection cannot be shared by machines: a topic lives on "
        "one of them, and its subscribers with it",
        "leave --shard out, or subscriptions.per_connection");
  }
  if (!scenario.subscriptions.filter.topics.empty()) {
    return fail(
        Code::usage,
        "a run with a filter cannot be shared by machines: a topic lives on one of them, and "
        "a filter asks for several",
        "leave --shard out, or subscriptions.filter");
  }
  const TopicChoice choice(scenario.subscriptions.choice, scenario.subscriptions.topics,
                           scenario.seed, "subscriptions");
  for (std::uint64_t k = 0; k < scenario.connections(); ++k) {
    if (shard.owns(choice.of(k))) share.members_.push_back(static_cast<std::uint32_t>(k));
  }
  std::uint64_t opened = 0;
  for (PhaseSpec& phase : share.scenario_.phases) {
    share.ramp_bases_.push_back(opened);
    if (!phase.connections) continue;
    opened = phase.connections->to;
    const auto end =
        std::lower_bound(share.members_.begin(), share.members_.end(), phase.connections->to);
    phase.connections->to = static_cast<std::uint64_t>(end - share.members_.begin());
  }
  return share;
}

}  // namespace rt
