#include "load/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <tuple>

#include "load/slowest.h"

namespace rt {
namespace {

// The smallest of those that say something: the same whatever the order.
void keep_one(std::string& text, const std::string& other) {
  if (text.empty() || (!other.empty() && other < text)) text = other;
}

template <typename T>
void keep_most(T& value, const T& other) {
  value = std::max(value, other);
}

std::string phase_names(const Outcome& outcome) {
  std::string names;
  for (const PhaseOutcome& phase : outcome.phases) names += phase.name + " ";
  for (const CohortOutcome& cohort : outcome.cohorts) {
    names += fmt::format("{} {} ", cohort.name, cohort.phases.size());
  }
  return names;
}

// Why `b` is not another part of the run that `a` is part of, or nothing.
std::string difference(const Outcome& a, const Outcome& b) {
  if (!a.part || !b.part) return "a report is not of a shard (rtbench run --shard)";
  if (a.scenario_sha256 != b.scenario_sha256) {
    return fmt::format("scenario {:.12} and scenario {:.12}", a.scenario_sha256, b.scenario_sha256);
  }
  if (a.seed != b.seed) return fmt::format("seed {} and seed {}", a.seed, b.seed);
  if (a.part->run_id != b.part->run_id) {
    return fmt::format("run id {} and run id {}", a.part->run_id, b.part->run_id);
  }
  if (a.part->shards != b.part->shards) {
    return fmt::format("{} shards and {} shards", a.part->shards, b.part->shards);
  }
  if (phase_names(a) != phase_names(b)) return "other phases or cohorts";
  if (a.delivery_from_commit != b.delivery_from_commit) return "latencies from other instants";
  std::vector<unsigned> both;
  std::set_intersection(a.part->have.begin(), a.part->have.end(), b.part->have.begin(),
                        b.part->have.end(), std::back_inserter(both));
  if (!both.empty()) return fmt::format("shard {} twice", both.front());
  return {};
}

void add_integrity(IntegrityCounts& sum, const IntegrityCounts& part) {
  sum.lost += part.lost;
  sum.duplicate += part.duplicate;
  sum.resent += part.resent;
  sum.reorder += part.reorder;
  sum.parsed += part.parsed;
  sum.received += part.received;
  sum.initial += part.initial;
  sum.repeated += part.repeated;
  sum.foreign += part.foreign;
  sum.unasked += part.unasked;
  sum.deaf += part.deaf;
  sum.comments += part.comments;
  sum.stream_errors += part.stream_errors;
  if (part.corrupt) sum.corrupt = sum.corrupt.value_or(0) + *part.corrupt;
  keep_one(sum.first_lost, part.first_lost);
  keep_one(sum.first_duplicate, part.first_duplicate);
  keep_one(sum.first_reorder, part.first_reorder);
  keep_one(sum.first_corrupt, part.first_corrupt);
  keep_one(sum.first_unasked, part.first_unasked);
  keep_one(sum.first_deaf, part.first_deaf);
}

void add_resume(ResumeCounts& sum, const ResumeCounts& part) {
  sum.attempts += part.attempts;
  sum.resumed += part.resumed;
  sum.replayed += part.replayed;
  sum.gaps_signalled += part.gaps_signalled;
  sum.gaps_silent += part.gaps_silent;
  sum.losses += part.losses;
  sum.storm_losses += part.storm_losses;
  sum.latency.add(part.latency);
  sum.replay.add(part.replay);
}

void add_churn(ChurnCounts& sum, const ChurnCounts& part) {
  sum.left += part.left;
  sum.replaced += part.replaced;
  sum.held_back += part.held_back;
}

void add_phases(std::vector<PhaseOutcome>& sum, const std::vector<PhaseOutcome>& part) {
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i].add(part[i]);
    sum[i].start_s = std::min(sum[i].start_s, part[i].start_s);
    keep_most(sum[i].duration_s, part[i].duration_s);
    if (part[i].stationary) {
      sum[i].stationary = sum[i].stationary.value_or(true) && *part[i].stationary;
    }
  }
}

// Both are of one scenario, so that the cohorts are the same.
void add_cohorts(std::vector<CohortOutcome>& sum, const std::vector<CohortOutcome>& part) {
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i].connections += part[i].connections;
    add_phases(sum[i].phases, part[i].phases);
  }
}

// A connection or topic belongs to one shard, so that the worst of all is the worst of these.
void add_worst(std::vector<WorstCase>& sum, const std::vector<WorstCase>& part) {
  const auto rank = [](const WorstCase& one) {
    return std::tie(one.never, one.high_us, one.low_us, one.who);
  };
  for (const WorstCase& one : part) {
    const auto same = std::find_if(sum.begin(), sum.end(), [&](const WorstCase& other) {
      return other.metric == one.metric && other.phase == one.phase &&
             other.limit_us == one.limit_us;
    });
    if (same == sum.end()) {
      sum.push_back(one);
    } else if (rank(*same) < rank(one)) {
      *same = one;
    }
  }
}

void add_client(ClientUse& sum, const ClientUse& part) {
  keep_most(sum.busy_max, part.busy_max);
  sum.cpu_cores += part.cpu_cores;
  keep_most(sum.steal, part.steal);
  sum.throttled_us += part.throttled_us;
  sum.loop_lag.add(part.loop_lag);
  sum.rss_bytes += part.rss_bytes;
  keep_most(sum.bytes_per_connection, part.bytes_per_connection);
  sum.descriptors += part.descriptors;
  keep_most(sum.descriptor_limit, part.descriptor_limit);
  sum.shards += part.shards;
  std::set<std::string> sources(sum.source_addresses.begin(), sum.source_addresses.end());
  sources.insert(part.source_addresses.begin(), part.source_addresses.end());
  sum.source_addresses.assign(sources.begin(), sources.end());
}

// Every shard samples the same server, whose memory grew for the connections of all.
void add_target(TargetUse& sum, std::uint64_t sum_held, const TargetUse& part,
                std::uint64_t part_held) {
  const double grown = std::max(sum.bytes_per_connection * static_cast<double>(sum_held),
                                part.bytes_per_connection * static_cast<double>(part_held));
  const std::uint64_t held = sum_held + part_held;
  sum.bytes_per_connection = held == 0 ? 0 : grown / static_cast<double>(held);
  sum.sampled = sum.sampled || part.sampled;
  sum.same_host = sum.same_host || part.same_host;
  keep_most(sum.pid, part.pid);
  keep_most(sum.rss_bytes, part.rss_bytes);
  keep_most(sum.cpu_cores, part.cpu_cores);
}

void add_clock(ClockProof& sum, const ClockProof& part) {
  if (part.mode == "probe") sum.mode = part.mode;
  keep_most(sum.error_us, part.error_us);
  sum.steps += part.steps;
  keep_most(sum.largest_step_us, part.largest_step_us);
}

void add_second(SecondSample& sum, const SecondSample& part) {
  keep_most(sum.at_s, part.at_s);
  sum.connections += part.connections;
  sum.offered += part.offered;
  sum.sent += part.sent;
  sum.received += part.received;
  keep_most(sum.late_max_us, part.late_max_us);
  sum.measured = sum.measured || part.measured;
  if (part.delivery.pairs.empty()) return;
  auto all = Histogram::from_sparse(sum.delivery).value_or(Histogram());
  all.add(Histogram::from_sparse(part.delivery).value_or(Histogram()));
  sum.delivery = all.sparse();
  sum.p50_us = all.percentile_us(0.50);
  sum.p95_us = all.percentile_us(0.95);
  sum.max_us = static_cast<double>(all.max_us());
}

// Seconds are those since the common start.
void add_series(std::vector<SecondSample>& sum, const std::vector<SecondSample>& part) {
  const auto second_of = [](const SecondSample& sample) { return std::llround(sample.at_s); };
  for (const SecondSample& sample : part) {
    const auto at =
        std::lower_bound(sum.begin(), sum.end(), sample,
                         [&](const auto& a, const auto& b) { return second_of(a) < second_of(b); });
    if (at != sum.end() && second_of(*at) == second_of(sample)) {
      add_second(*at, sample);
    } else {
      sum.insert(at, sample);
    }
  }
}

// "a, b": each once, sorted.
void keep_all(std::string& text, const std::string& other) {
  std::set<std::string> words;
  for (const std::string& list : {text, other}) {
    std::size_t begin = 0;
    while (begin < list.size()) {
      const std::size_t end = std::min(list.find(", ", begin), list.size());
      words.insert(list.substr(begin, end - begin));
      begin = end + 2;
    }
  }
  text.clear();
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
}

void add_environment(Environment& sum, const Environment& part) {
  keep_all(sum.host, part.host);
  keep_all(sum.kernel, part.kernel);
  keep_all(sum.cpu, part.cpu);
  keep_all(sum.governor, part.governor);
  keep_all(sum.tool_version, part.tool_version);
  keep_all(sum.build, part.build);
  sum.cores += part.cores;
  sum.memory_bytes += part.memory_bytes;
}

void add_outcome(Outcome& sum, const Outcome& part) {
  RunPart& have = *sum.part;
  have.have.insert(have.have.end(), part.part->have.begin(), part.part->have.end());
  std::sort(have.have.begin(), have.have.end());
  sum.start = std::min(sum.start, part.start);
  keep_most(sum.duration_s, part.duration_s);
  keep_most(sum.interrupted_by, part.interrupted_by);
  keep_one(sum.aborted, part.aborted);
  keep_one(sum.broken_claim, part.broken_claim);
  keep_one(sum.internal_fault, part.internal_fault);
  keep_all(sum.target_url, part.target_url);
  add_target(sum.target, sum.connections.held, part.target, part.connections.held);
  std::string first = sum.connections.first_failure;
  keep_one(first, part.connections.first_failure);
  sum.connections.add(part.connections);
  sum.connections.first_failure = first;
  sum.connect.add(part.connect);
  sum.tls.add(part.tls);
  sum.first_event.add(part.first_event);
  sum.heartbeat_gap.add(part.heartbeat_gap);
  add_phases(sum.phases, part.phases);
  add_cohorts(sum.cohorts, part.cohorts);
  add_churn(sum.churn, part.churn);
  add_worst(sum.worst, part.worst);
  add_slowest(sum.slowest, part.slowest);
  add_integrity(sum.integrity, part.integrity);
  add_resume(sum.resume, part.resume);
  add_client(sum.client, part.client);
  add_clock(sum.clock, part.clock);
  keep_most(sum.kernel.listen_overflows, part.kernel.listen_overflows);
  keep_most(sum.kernel.listen_drops, part.kernel.listen_drops);
  keep_most(sum.kernel.receive_pruned, part.kernel.receive_pruned);
  add_series(sum.series, part.series);
  add_environment(sum.env, part.env);
  if (!sum.selftest || (part.selftest && part.selftest->p95_us > sum.selftest->p95_us)) {
    sum.selftest = part.selftest;
  }
  std::set<std::string> notes(sum.notes.begin(), sum.notes.end());
  notes.insert(part.notes.begin(), part.notes.end());
  sum.notes.assign(notes.begin(), notes.end());
}

// Gates about one machine.
constexpr std::array<std::string_view, 7> kOfOneMachine = {
    "complete", "balance",           "local_limits", "open_loop",
    "clock",    "client_saturation", "receive_queue"};

int badness(const GateResult& gate) {
  constexpr std::array kOrder = {GateVerdict::pass, GateVerdict::unmeasured, GateVerdict::warn,
                                 GateVerdict::fail, GateVerdict::invalid};
  const auto at = std::find(kOrder.begin(), kOrder.end(), gate.verdict);
  return static_cast<int>(at - kOrder.begin()) + (gate.exit_status == 8 ? 10 : 0);
}

}  // namespace

Result<Outcome> merge_outcomes(std::span<const Outcome> parts) {
  if (parts.empty()) return fail(Code::usage, "nothing to merge");
  Outcome sum = parts.front();
  if (!sum.part) {
    return fail(Code::usage, "cannot merge: a report is not of a shard (rtbench run --shard)");
  }
  for (const Outcome& part : parts.subspan(1)) {
    if (const std::string why = difference(sum, part); !why.empty()) {
      return fail(Code::usage, "cannot merge, these are not parts of one run: " + why);
    }
    add_outcome(sum, part);
  }
  return sum;
}

Verdict judge_merged(const Scenario& scenario, const Outcome& merged,
                     std::span<const Outcome> parts) {
  std::vector<GateResult> gates = judge_gates(scenario, merged);
  for (const Outcome& part : parts) {
    if (!part.part || part.part->have.empty()) continue;
    const std::vector<GateResult> own = judge_gates(scenario, part);
    for (std::size_t i = 0; i < gates.size(); ++i) {
      const bool counts = std::find(kOfOneMachine.begin(), kOfOneMachine.end(), gates[i].name) !=
                          kOfOneMachine.end();
      if (!counts || own[i].verdict == GateVerdict::unmeasured) continue;
      if (badness(own[i]) <= badness(gates[i])) continue;
      gates[i] = own[i];
      gates[i].measured = fmt::format("shard {}: {}", part.part->have.front(), own[i].measured);
    }
  }
  return judge(scenario, merged, std::move(gates));
}

}  // namespace rt
