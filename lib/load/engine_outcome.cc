// The end of a run: everything is added up, by the one thread that is left.
#include <fmt/format.h>

#include <algorithm>

#include "load/engine_run.h"
#include "load/subscriptions.h"

namespace rt {
namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

double share(std::pair<Instant, std::int64_t> from, std::pair<Instant, std::int64_t> to) {
  const double elapsed = seconds(to.first - from.first);
  if (elapsed <= 0) return 0;
  return static_cast<double>(to.second - from.second) * 1e-9 / elapsed;
}

void keep_first(std::string& first, const std::string& other) {
  if (first.empty()) first = other;
}

}  // namespace

double EngineRun::seconds_since_start(Instant t) const {
  return seconds(t - start_);
}

std::uint64_t EngineRun::held() const {
  std::uint64_t sum = 0;
  for (const ShardStatus& status : statuses_) sum += status.held;
  return sum;
}

std::uint64_t EngineRun::gave_up() const {
  std::uint64_t sum = 0;
  for (const ShardStatus& status : statuses_) sum += status.gave_up;
  return sum;
}

std::uint64_t EngineRun::received() const {
  std::uint64_t sum = 0;
  for (const ShardStatus& status : statuses_) sum += status.received;
  return sum;
}

EngineRun::UseMark EngineRun::mark_use() const {
  UseMark mark;
  for (const ShardStatus& status : statuses_) mark.threads.emplace_back(status.at, status.cpu_ns);
  mark.threads.emplace_back(published_.at, published_.cpu_ns);
  mark.control = {clock_.now(), thread_cpu_ns()};
  mark.process = process_use(0).value_or(ProcessUse{});
  mark.target = sample_target();
  mark.stolen = read_stolen_time();
  return mark;
}

// Zeros if there is nothing to see.
TargetSample EngineRun::sample_target() const {
  if (plan_.target_pid != 0) {
    return {clock_.now(), process_use(plan_.target_pid).value_or(ProcessUse{})};
  }
  return parts_.target_use ? parts_.target_use().value_or(TargetSample{}) : TargetSample{};
}

void EngineRun::fill_outcome() {
  outcome_.scenario = scenario_.name;
  outcome_.scenario_sha256 = scenario_.sha256;
  outcome_.seed = scenario_.seed;
  outcome_.preset = preset_name(scenario_.target.preset);
  outcome_.target_url = scenario_.target.url;
  outcome_.delivery_from_commit = parts_.commits != nullptr;
  outcome_.publishes = publisher_ != nullptr;
  outcome_.duration_s = seconds_since_start(clock_.now());
  outcome_.env = read_environment(parts_.tool_version);
  fill_clock();
  fill_counts();
  settle();
  outcome_.worst = worst_.result(scenario_);
  fill_slowest();
  fill_client();
  fill_target();
  if (publisher_) {
    if (const std::string why = publisher_->first_failure(); !why.empty()) {
      outcome_.notes.push_back("first event that was not accepted: " + why);
    }
    if (publisher_->fault()) outcome_.aborted += ": " + publisher_->fault()->text;
  }
  if (parts_.commits != nullptr && parts_.commits->fault()) {
    outcome_.notes.push_back("commit times ended early: " + parts_.commits->fault()->text);
  }
  if (outcome_.aborted == "no connection could be held") {
    outcome_.aborted += ": " + outcome_.connections.first_failure;
  }
}

void EngineRun::fill_counts() {
  for (std::size_t p = 0; p < outcome_.phases.size(); ++p) {
    PhaseOutcome& phase = outcome_.phases[p];
    if (publisher_) phase.add(publisher_->phases()[p]);
  }
  fill_cohorts();
  for (const std::unique_ptr<Shard>& shard : shards_) {
    const ShardCounts& counts = shard->counts();
    for (std::uint8_t cohort = 0; cohort <= scenario_.cohorts.size(); ++cohort) {
      for (std::size_t p = 0; p < outcome_.phases.size(); ++p) {
        const std::size_t bucket = cohort * outcome_.phases.size() + p;
        PhaseOutcome& phase = place_of(cohort, p);
        phase.received += counts.received[bucket];
        phase.replayed += counts.replayed[bucket];
        phase.untimed += counts.untimed[bucket];
      }
    }
    outcome_.churn.left += counts.churn.left;
    outcome_.churn.replaced += counts.churn.replaced;
    outcome_.churn.held_back += counts.churn.held_back;
    outcome_.resume.storm_losses += counts.storm_losses;
    outcome_.connections.add(counts.connections);
    IntegrityCounts& sum = outcome_.integrity;
    const IntegrityCounts& part = counts.integrity;
    sum.duplicate += part.duplicate;
    sum.resent += part.resent;
    sum.reorder += part.reorder;
    sum.parsed += part.parsed;
    sum.received += part.received;
    sum.initial += part.initial;
    sum.repeated += part.repeated;
    sum.foreign += part.foreign;
    sum.unasked += part.unasked;
    sum.comments += part.comments;
    sum.stream_errors += part.stream_errors;
    if (part.corrupt) sum.corrupt = sum.corrupt.value_or(0) + *part.corrupt;
    keep_first(sum.first_duplicate, part.first_duplicate);
    keep_first(sum.first_reorder, part.first_reorder);
    keep_first(sum.first_corrupt, part.first_corrupt);
    keep_first(sum.first_unasked, part.first_unasked);
    outcome_.resume.losses += counts.resume.losses;
    outcome_.resume.attempts += counts.resume.attempts;
    outcome_.resume.resumed += counts.resume.resumed;
    outcome_.resume.replayed += counts.resume.replayed;
    outcome_.resume.gaps_signalled += counts.resume.gaps_signalled;
    outcome_.resume.gaps_silent += counts.resume.gaps_silent;
    outcome_.resume.latency.add(counts.resume.latency);
    outcome_.connect.add(counts.connect);
    outcome_.tls.add(counts.tls);
    outcome_.first_event.add(counts.first_event);
    outcome_.heartbeat_gap.add(counts.heartbeat_gap);
    outcome_.client.loop_lag.add(counts.loop_lag);
    keep_first(outcome_.internal_fault, counts.fault);
    if (shard->ledger().overflowed() != 0) {
      outcome_.notes.push_back("more gaps than can be told apart: lost is an upper bound");
    }
  }
}

PhaseOutcome& EngineRun::place_of(std::uint8_t cohort, std::size_t phase) {
  return cohort == 0 ? outcome_.phases[phase] : outcome_.cohorts[cohort - 1u].phases[phase];
}

// A place for the deliveries of each cohort, and the latencies of all.
void EngineRun::fill_cohorts() {
  for (const CohortSpec& spec : scenario_.cohorts) {
    CohortOutcome cohort;
    cohort.name = spec.name;
    cohort.share = spec.share;
    cohort.judged = !spec.reads_slowly();
    for (const PhaseOutcome& phase : outcome_.phases) {
      PhaseOutcome& own = cohort.phases.emplace_back();
      own.name = phase.name;
      own.tag = phase.tag;
      own.measured = phase.measured;
      own.start_s = phase.start_s;
      own.duration_s = phase.duration_s;
    }
    outcome_.cohorts.push_back(std::move(cohort));
  }
  for (std::uint8_t cohort = 0; cohort <= scenario_.cohorts.size(); ++cohort) {
    for (std::size_t p = 0; p < outcome_.phases.size(); ++p) {
      const std::size_t bucket = cohort * outcome_.phases.size() + p;
      PhaseOutcome& phase = place_of(cohort, p);
      phase.delivery = times_.delivery(bucket);
      phase.intended = times_.intended(bucket);
      phase.commit_to_wire = times_.commit_to_wire(bucket);
      phase.receive_queue = times_.wire_to_parse(bucket);
      phase.untimed = times_.untimed(bucket);
      phase.events = outcome_.phases[p].events;
    }
  }
  outcome_.resume.replay = times_.delivery(plan_.shards.replay_bucket());
}

// For each subscription there is: its shard, entry of the ledger, connection, number and topic.
template <typename Take>
void EngineRun::each_subscription(Take take) const {
  const std::uint32_t most = plan_.shards.topics_each;
  for (const std::unique_ptr<Shard>& shard : shards_) {
    for (std::size_t slot = 0; slot < shard->slots(); ++slot) {
      for (std::uint32_t place = 0; place < most; ++place) {
        const std::uint64_t number = shard->number_of(slot) * most + place;
        const std::uint32_t topic = plan_.shards.topic_of(number);
        if (topic == Subscriptions::kNone) break;
        take(*shard, shard->entry_of(slot, place), static_cast<std::uint32_t>(number), topic);
      }
    }
  }
}

// What was due to each connection against what it got.
void EngineRun::settle() {
  for (std::uint64_t k = 0; k < plan_.shards.connections && publisher_; ++k) {
    const std::uint8_t member = plan_.shards.cohort_of(k);
    if (member != 0) ++outcome_.cohorts[member - 1u].connections;
  }
  if (!publisher_) return;
  Publication& publication = publisher_->publication();
  each_subscription([&](const Shard& shard, std::size_t entry, std::uint32_t, std::uint32_t topic) {
    shard.ledger().note_seen(entry, topic, publication);
  });
  std::vector<Ledger::Due> due(outcome_.phases.size());
  each_subscription(
      [&](const Shard& shard, std::size_t entry, std::uint32_t number, std::uint32_t topic) {
        std::fill(due.begin(), due.end(), Ledger::Due{});
        shard.ledger().settle(entry, topic, publication, due);
        for (std::size_t p = 0; p < due.size(); ++p) settle(number, topic, p, due[p]);
      });
  count_deaf();
}

// Whoever joined late, has a stream, and got nothing of what there was to get.
void EngineRun::count_deaf() {
  each_subscription(
      [&](const Shard& shard, std::size_t entry, std::uint32_t number, std::uint32_t topic) {
        const std::uint64_t connection = number / plan_.shards.topics_each;
        const std::uint8_t cohort = plan_.shards.cohort_of(connection);
        if (!shard.streams_at_end(entry / plan_.shards.topics_each)) return;
        if (!plan_.shards.is_judged(cohort)) return;
        if (!shard.ledger().is_deaf(entry, topic, publisher_->publication())) return;
        if (outcome_.integrity.deaf++ != 0) return;
        outcome_.integrity.first_deaf =
            fmt::format("topic {}, connection {}", plan_.shards.topic_name(topic),
                        plan_.shards.number_in_run(connection));
      });
}

void EngineRun::settle(std::uint32_t subscription, std::uint32_t topic, std::size_t phase,
                       const Ledger::Due& due) {
  const std::uint64_t connection = subscription / plan_.shards.topics_each;
  const std::uint8_t member = plan_.shards.cohort_of(connection);
  const std::size_t bucket = plan_.shards.bucket_of(member, phase);
  const auto cohort = static_cast<std::uint8_t>(bucket / outcome_.phases.size());
  place_of(cohort, phase).expected += due.expected;
  if (cohort == 0) worst_.miss(phase, subscription, due.lost);
  if (cohort != 0 && !outcome_.cohorts[cohort - 1u].judged) return;
  outcome_.integrity.lost += due.lost;
  if (due.lost == 0 || !outcome_.integrity.first_lost.empty()) return;
  outcome_.integrity.first_lost =
      fmt::format("topic {}, event {}, connection {}", plan_.shards.topic_name(topic),
                  due.first_lost, plan_.shards.number_in_run(connection));
}

void EngineRun::fill_slowest() {
  outcome_.slowest.most = slowest_.most();
  for (const Slowest::Kept& kept : slowest_.kept()) {
    const Delivery& delivery = kept.delivery;
    const auto unix_us = [&](std::int64_t mono_ns) {
      return (mono_ns + kept.wall_minus_mono_ns) / 1'000;
    };
    SlowDelivery slow;
    slow.delivery_us = kept.us;
    slow.phase = scenario_.phases[delivery.bucket].name;
    slow.topic = plan_.shards.topic_name(plan_.shards.topic_of(delivery.subscription));
    slow.event = delivery.sequence;
    slow.connection = plan_.shards.number_in_run(delivery.subscription / plan_.shards.topics_each);
    slow.intended_unix_us = unix_us(delivery.intended_ns);
    slow.committed_unix_us = kept.committed_unix_us;
    slow.arrived_unix_us = delivery.stamp_unix_ns / 1'000;
    slow.parsed_unix_us = unix_us(delivery.received_ns);
    outcome_.slowest.list.push_back(std::move(slow));
  }
  std::sort(outcome_.slowest.list.begin(), outcome_.slowest.list.end(), is_slower);
}

void EngineRun::fill_client() {
  ClientUse& client = outcome_.client;
  client.shards = plan_.shards.shards;
  const std::uint64_t streams = plan_.shards.streams;
  client.descriptors = (held_at_census_ + streams - 1) / streams + 8 * plan_.shards.shards;
  client.descriptor_limit = plan_.descriptor_limit;
  client.rss_bytes = client_rss_at_census_;
  for (const io::Address& source : plan_.shards.sources) {
    const std::string text = source.text();
    client.source_addresses.push_back(text.substr(0, text.rfind(':')));
  }
  if (idle_.held != 0) {
    // Slots and ledger were there before the ramp; whatever the ramp brought beyond them counts
    // too.
    const std::uint64_t grown =
        idle_.client_rss - std::min(idle_.client_rss, client_before_.rss_bytes);
    const auto watched =
        static_cast<double>(worst_.bytes()) / static_cast<double>(plan_.shards.connections);
    client.bytes_per_connection =
        static_cast<double>(Shard::connection_bytes(plan_.shards.topics_each)) + watched +
        static_cast<double>(grown) / static_cast<double>(idle_.held);
  }
  if (!measure_begin_ || !measure_end_) return;
  const UseMark& from = *measure_begin_;
  const UseMark& to = *measure_end_;
  client.busy_max = share(from.control, to.control);
  for (std::size_t i = 0; i < from.threads.size(); ++i) {
    client.busy_max = std::max(client.busy_max, share(from.threads[i], to.threads[i]));
  }
  client.cpu_cores =
      share({from.control.first, from.process.cpu_ns}, {to.control.first, to.process.cpu_ns});
  const std::int64_t ticks = to.stolen.total_ticks - from.stolen.total_ticks;
  if (ticks > 0) {
    client.steal = static_cast<double>(to.stolen.steal_ticks - from.stolen.steal_ticks) /
                   static_cast<double>(ticks);
  }
  client.throttled_us = to.stolen.throttled_us - from.stolen.throttled_us;
}

void EngineRun::fill_clock() {
  ClockProof& proof = outcome_.clock;
  proof = clock_watch_.proof();
  if (parts_.commits == nullptr) return;
  const ClockOffset database = parts_.commits->offset();
  if (database.error_us == 0) return;
  proof.mode = "probe";
  proof.error_us += static_cast<double>(database.error_us);
  proof.steps += database.steps;
  proof.largest_step_us =
      std::max(proof.largest_step_us, static_cast<double>(database.largest_step_us));
}

void EngineRun::fill_target() {
  TargetUse& target = outcome_.target;
  target.same_host = plan_.shards.address.is_loopback();
  if (!samples_target()) return;
  target.pid = plan_.target_pid;
  target.sampled = target_rss_at_census_ != 0;
  target.rss_bytes = target_rss_at_census_;
  if (idle_.held != 0 && idle_.target_rss > target_before_.use.rss_bytes) {
    target.bytes_per_connection =
        static_cast<double>(idle_.target_rss - target_before_.use.rss_bytes) /
        static_cast<double>(idle_.held);
  }
  if (!measure_begin_ || !measure_end_) return;
  const TargetSample& from = measure_begin_->target;
  const TargetSample& to = measure_end_->target;
  target.cpu_cores = share({from.at, from.use.cpu_ns}, {to.at, to.use.cpu_ns});
}

}  // namespace rt
