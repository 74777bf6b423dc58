// One machine's share of a run. A topic belongs to one shard (topic mod count), and with it come
// its subscribers and its events: what a shard publishes it also measures, on its own clock, and
// its ledger is complete by itself. Who subscribes to what and when, and which event is due when,
// stays the pure function of (seed, number) that it is without shards; a share is what is left of
// it when the rest is crossed out, so any number of shards together make the same workload.
// Immutable; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "load/scenario.h"

namespace rt {

struct ShardOf {
  unsigned number = 0;  // 0 .. count-1
  unsigned count = 1;
  bool owns(std::uint64_t topic) const { return topic % count == number; }
};

// "2/4". Code::usage when it is not i/n with i < n.
Result<ShardOf> parse_shard(std::string_view text);

class WorkloadShare {
 public:
  // Code::usage when there are fewer topics than shards: some would have nothing to do.
  static Result<WorkloadShare> of(const Scenario& scenario, const ShardOf& shard);

  // The scenario with the connection goals of this shard.
  const Scenario& scenario() const { return scenario_; }
  // Its connections by their number in the whole run, ascending; empty when there is one shard.
  const std::vector<std::uint32_t>& members() const { return members_; }
  // Of the whole run.
  std::uint64_t connections_in_run() const { return in_run_; }
  // By phase: the number of the first connection in the whole run that its ramp opens.
  const std::vector<std::uint64_t>& ramp_bases() const { return ramp_bases_; }

 private:
  explicit WorkloadShare(const Scenario& scenario)
      : scenario_(scenario), in_run_(scenario.connections()) {}

  Scenario scenario_;
  std::uint64_t in_run_;
  std::vector<std::uint32_t> members_;
  std::vector<std::uint64_t> ramp_bases_;
};

}  // namespace rt
