// A plan cut down to one machine's share of a run.
#include <algorithm>

#include "base/random.h"
#include "load/engine_run.h"

namespace rt {

void take_share(const WorkloadShare& share, const std::string& run_id, EnginePlan& plan) {
  ShardPlan& shards = plan.shards;
  shards.members = share.members();
  shards.ramp_bases = share.ramp_bases();
  // A bound on the whole run, of which this share has its part.
  shards.churn.rate_cap_per_s *=
      static_cast<double>(shards.connections) / static_cast<double>(share.connections_in_run());
  // The same for all shards, so that none takes the rows that another prepared for a stranger's.
  shards.run = static_cast<std::uint32_t>(Random::of(0, run_id).next()) | 1U;
  shards.topic_of = [in_run = shards.topic_of, members = share.members()](
                        std::uint64_t connection) { return in_run(members[connection]); };
  std::fill(plan.watchers.begin(), plan.watchers.end(), 0U);
  for (std::uint64_t k = 0; k < shards.connections; ++k) ++plan.watchers[shards.topic_of(k)];
}

}  // namespace rt
