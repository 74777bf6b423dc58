#include "load/engine_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "load/gates.h"
#include "load/kernel_counts.h"
#include "load/payload.h"

namespace rt {
namespace {

constexpr std::chrono::milliseconds kTick{20};
constexpr Duration kSecond = std::chrono::seconds(1);
// A stop on request, and a scenario without a phase to drain in, give late deliveries this long.
constexpr Duration kDrain = std::chrono::seconds(5);
// The slot that tells commit times may be a moment behind the server's.
constexpr int kLastCommitsTicks = 100;

}  // namespace

Result<Outcome> run_scenario(const Scenario& scenario, const EngineParts& parts,
                             const Clock& clock) {
  const WorkloadShare share = RT_TRY(WorkloadShare::of(scenario, parts.share));
  EnginePlan plan = RT_TRY(make_engine_plan(share.scenario(), parts, clock));
  if (parts.share.count > 1) take_share(share, parts.run_id, plan);
  // A share of a run has the numbers, and so the tokens, of the whole.
  const std::uint64_t all =
      plan.shards.connections == 0 ? 0 : plan.shards.number_in_run(plan.shards.connections - 1) + 1;
  plan.shards.headers = RT_TRY(RequestHeaders::load(scenario.target.request.headers, all));
  EngineRun run(share.scenario(), parts, clock, std::move(plan));
  const KernelCounts before = read_kernel_counts();
  Outcome outcome = RT_TRY(run.run());
  outcome.kernel = counted_since(before, read_kernel_counts());
  return outcome;
}

EngineRun::EngineRun(const Scenario& scenario, const EngineParts& parts, const Clock& clock,
                     EnginePlan plan)
    : scenario_(scenario),
      parts_(parts),
      clock_(clock),
      plan_(std::move(plan)),
      phases_(scenario),
      disturbances_(scenario),
      clock_watch_(clock),
      worst_(scenario, plan_.shards.connections, plan_.shards.topic_of, plan_.shards.topics_each),
      slowest_(scenario.report.keep_worst, scenario.measured_phases()),
      times_(plan_.shards.replay_bucket() + 1, parts.commits != nullptr, scenario.phases.size(),
             worst_.empty() ? nullptr : &worst_, &slowest_),
      statuses_(plan_.shards.shards),
      settling_(tightest_claim_us(scenario)) {
  for (const PhaseSpec& spec : scenario.phases) {
    PhaseOutcome phase;
    phase.name = spec.name;
    phase.tag = spec.tag;
    phase.measured = spec.measure;
    outcome_.phases.push_back(std::move(phase));
  }
}

EngineRun::~EngineRun() {
  stop_all();
}

Result<Outcome> EngineRun::run() {
  RT_CHECKED(start());
  loop();
  stop_all();
  fill_outcome();
  return std::move(outcome_);
}

Result<void> EngineRun::start() {
  if (parts_.producer != nullptr && !scenario_.publish.empty()) {
    std::string initial;
    append_payload(initial, {0, plan_.shards.run, 0, 0}, scenario_.publish.front().size.low, {}, {},
                   scenario_.integrity.content);
    RT_CHECKED(parts_.producer->prepare(static_cast<std::uint32_t>(plan_.watchers.size()),
                                        plan_.shards.topic_name, initial));
  }
  for (unsigned i = 0; i < plan_.shards.shards; ++i) {
    shards_.push_back(RT_TRY(Shard::create(plan_.shards, i, clock_)));
  }
  if (parts_.producer != nullptr && !scenario_.publish.empty()) {
    PublisherPlan plan;
    plan.works = RT_TRY(publish_works(scenario_));
    plan.watchers = plan_.watchers;
    plan.phases = scenario_.phases.size();
    plan.run = plan_.shards.run;
    plan.names_topics = plan_.watchers.size() > 1;
    plan.checks_content = scenario_.integrity.content;
    plan.max_in_flight = scenario_.max_in_flight();
    plan.share = parts_.share;
    plan.topic_name = plan_.shards.topic_name;
    publisher_ = std::make_unique<Publisher>(std::move(plan), *parts_.producer, clock_);
  }
  for (const std::unique_ptr<Shard>& shard : shards_) {
    threads_.emplace_back([&shard = *shard] { shard.run(); });
  }
  if (publisher_) publisher_thread_ = std::thread([this] { publisher_->run(); });
  settle_target();
  client_before_ = process_use(0).value_or(ProcessUse{});
  if (parts_.await_start) RT_CHECKED(parts_.await_start());
  start_ = clock_.now();
  outcome_.start = clock_.wall();
  second_at_ = start_ + kSecond;
  return {};
}

// The target may still be taking in what was prepared: memory that grows for that reason is not the
// connections'.
void EngineRun::settle_target() {
  if (!samples_target()) return;
  constexpr int kLooks = 40;  // 10 s; then what it takes in is counted after all
  constexpr std::chrono::milliseconds kBetween{250};
  constexpr std::uint64_t kStill = 64 * 1024;
  for (int look = 0; look < kLooks; ++look) {
    const TargetSample before = std::exchange(target_before_, sample_target());
    const bool is_newer = look != 0 && before.at != target_before_.at;
    if (is_newer && target_before_.use.rss_bytes <= before.use.rss_bytes + kStill) return;
    if (const int signal = parts_.pause(kBetween); signal != 0) {
      outcome_.interrupted_by = signal;
      return;
    }
  }
}

void EngineRun::loop() {
  while (!over_ && !stop_now_) {
    wait_a_tick();
    if (outcome_.interrupted_by != 0) break;
    const Instant now = clock_.now();
    watch_warm_up(now);
    advance(now);
    disturb(now);
    if (is_hopeless()) {
      outcome_.aborted = "no connection could be held";
      break;
    }
    if (now >= abort_check_at_) {
      abort_check_at_ = now + kSecond;
      if (ends_early(now)) break;
    }
    if (published_.faulty) {
      outcome_.aborted = "cannot publish any more";
      break;
    }
  }
  // Also if an end was announced: that of the plan, which is not kept any more.
  if (publisher_ && !over_) publisher_->end(clock_.now());
  publishing_ended_ = true;
  census();
  if (!is_hopeless()) drain(kDrain);
}

bool EngineRun::wait_a_tick() {
  const int signal = parts_.pause(kTick);
  collect();
  second(clock_.now());
  if (signal == 0) return true;
  if (outcome_.interrupted_by != 0) return false;
  outcome_.interrupted_by = signal;
  if (parts_.say) parts_.say("stopping: up to 5 s for what is on its way, then the reports");
  return true;
}

void EngineRun::drain(Duration at_most) {
  const Instant until = clock_.now() + at_most;
  while (!is_complete() && clock_.now() < until) {
    if (!wait_a_tick()) return;
  }
}

void EngineRun::collect() {
  const std::int64_t offset_ns = clock_watch_.sample();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    Shard& shard = *shards_[i];
    for (ShardStatus status; shard.take(status);) statuses_[i] = status;
    for (Delivery delivery; shard.take(delivery);) times_.take(delivery, offset_ns);
  }
  if (parts_.commits != nullptr) {
    commits_.clear();
    parts_.commits->take(commits_);
    const std::int64_t ahead_us = parts_.commits->offset().offset_us;
    for (Commit& commit : commits_) commit.unix_us -= ahead_us;
    times_.learn(commits_);
  }
  times_.resolve();
  if (!publisher_) return;
  for (PublisherStatus status; publisher_->take(status);) {
    late_max_us_ = std::max(late_max_us_, status.late_max_us);
    published_ = status;
  }
}

void EngineRun::advance(Instant now) {
  if (publishing_ended_ && phases_.index() >= scenario_.publish_end() && is_complete()) {
    phases_.cut(now);
  }
  for (;;) {
    switch (phases_.advance(now, held(), held() + gave_up())) {
      case PhaseRun::Step::none:
        return;
      case PhaseRun::Step::ramp_begins:
        disturbances_.phase_begins(phases_.index(), phases_.begin());
        begin_ramp();
        break;
      case PhaseRun::Step::hold_begins:
        disturbances_.phase_begins(phases_.index(), phases_.hold_begin());
        begin_hold();
        break;
      case PhaseRun::Step::phase_ends:
        end_phase();
        break;
      case PhaseRun::Step::run_ends:
        over_ = true;
        return;
    }
  }
}

// Cohorts, storms and faults whose time has come.
void EngineRun::disturb(Instant now) {
  const auto run_command = [&](const std::vector<std::string>& words) {
    if (parts_.say) parts_.say("running " + words.front());
    if (const auto begun = commands_.start(words); !begun) {
      outcome_.notes.push_back(begun.error().text);
    }
  };
  while (const auto due = disturbances_.next(now)) {
    switch (due->kind) {
      case Disturbances::Due::Kind::cohort:
        order_all({ShardOrder::Kind::cohort, due->index, 0, 0, due->at});
        break;
      case Disturbances::Due::Kind::storm: {
        const StormSpec& storm = scenario_.reconnect.storms[due->index];
        if (!storm.command.empty()) run_command(storm.command);
        order_all({ShardOrder::Kind::storm, due->index, 0, 0, due->at});
        break;
      }
      case Disturbances::Due::Kind::fault: {
        const FaultSpec& fault = scenario_.faults[due->index];
        if (fault.needs_proxy()) {
          plan_.proxy->begin(due->index, due->at);
        } else {
          run_command(fault.command);
        }
        break;
      }
    }
  }
  for (std::string& line : commands_.ended()) outcome_.notes.push_back(std::move(line));
}

void EngineRun::begin_measuring() {
  if (!phases_.spec().measure) return;
  if (!measure_begin_) measure_begin_ = mark_use();
  order_all({ShardOrder::Kind::measuring, 0, 0, 0, Instant{}});
}

void EngineRun::begin_ramp() {
  const std::size_t index = phases_.index();
  const std::uint64_t goal = phases_.spec().connections->to;
  if (goal > ramped_to_) {
    order_all({ShardOrder::Kind::ramp, ramped_to_, goal, index, phases_.begin()});
    ramped_to_ = goal;
  }
  begin_measuring();
}

void EngineRun::begin_hold() {
  const std::size_t index = phases_.index();
  begin_measuring();
  settling_ = Stationarity(tightest_claim_us(scenario_));
  end_announced_ = !phases_.spec().until_stationary;
  if (!publisher_) return weigh();
  const std::size_t first = scenario_.publish_begin();
  const std::size_t end = scenario_.publish_end();
  if (index <= first) weigh();
  if (index < first || index >= end) return;
  if (index == first) {
    order_all({ShardOrder::Kind::publishing, 0, 0, index, phases_.hold_begin()});
    publisher_->begin(phases_.hold_begin(), index);
  }
  if (!phases_.spec().until_stationary) announce_end();
}

void EngineRun::end_phase() {
  const std::size_t index = phases_.index();
  PhaseOutcome& phase = outcome_.phases[index];
  phase.start_s = seconds_since_start(phases_.begin());
  phase.duration_s = seconds_since_start(phases_.end()) - phase.start_s;
  if (!phases_.spec().measure) return;
  measure_end_ = mark_use();
  order_all({ShardOrder::Kind::resting, 0, 0, 0, Instant{}});
  const auto later = [&](const PhaseSpec& spec) { return spec.measure; };
  const auto next = scenario_.phases.begin() + static_cast<std::ptrdiff_t>(index) + 1;
  if (std::none_of(next, scenario_.phases.end(), later)) census();
}

void EngineRun::census() {
  if (counted_) return;
  counted_ = true;
  order_all({ShardOrder::Kind::census, 0, 0, 0, Instant{}});
  held_at_census_ = held();
  client_rss_at_census_ = process_use(0).value_or(ProcessUse{}).rss_bytes;
  target_rss_at_census_ = sample_target().use.rss_bytes;
  if (measure_begin_ && !measure_end_) measure_end_ = mark_use();
}

void EngineRun::weigh() {
  idle_.held = held();
  idle_.client_rss = process_use(0).value_or(ProcessUse{}).rss_bytes;
  idle_.target_rss = sample_target().use.rss_bytes;
}

void EngineRun::second(Instant now) {
  if (now < second_at_) return;
  second_at_ += kSecond;
  const Histogram latency = times_.take_second();
  settling_.add_second(latency);
  SecondSample sample;
  sample.at_s = seconds_since_start(now);
  sample.connections = held();
  sample.offered = published_.offered - last_totals_.offered;
  sample.sent = published_.sent - last_totals_.sent;
  sample.received = received() - last_totals_.received;
  last_totals_.offered = published_.offered;
  last_totals_.sent = published_.sent;
  last_totals_.received = received();
  if (!latency.empty()) {
    sample.p50_us = latency.percentile_us(0.50);
    sample.p95_us = latency.percentile_us(0.95);
    sample.max_us = static_cast<double>(latency.max_us());
    sample.delivery = latency.sparse();
  }
  sample.late_max_us = static_cast<double>(std::exchange(late_max_us_, 0));
  const bool in_phase = !over_ && phases_.index() < scenario_.phases.size();
  sample.measured = in_phase && phases_.spec().measure && phases_.is_holding();
  outcome_.series.push_back(sample);
  if (!parts_.progress) return;
  EngineProgress progress;
  progress.phase = in_phase ? phases_.spec().name : "drain";
  progress.elapsed_s = sample.at_s;
  if (in_phase && phases_.is_holding()) {
    progress.phase_left_s =
        std::max(0.0, std::chrono::duration<double>(phases_.end() - now).count());
  }
  progress.asked = plan_.shards.connections;
  progress.gave_up = gave_up();
  progress.second = sample;
  parts_.progress(progress);
}

// Nothing is on its way any more.
bool EngineRun::is_complete() const {
  if (!publisher_) return true;
  return published_.idle && received() >= published_.due && times_.waiting() == 0;
}

bool EngineRun::is_hopeless() const {
  return plan_.shards.connections > 0 && gave_up() >= plan_.shards.connections;
}

void EngineRun::order_all(const ShardOrder& order) {
  for (const std::unique_ptr<Shard>& shard : shards_) RT_CHECK(shard->order(order));
}

void EngineRun::stop_all() {
  if (publisher_thread_.joinable()) {
    publisher_->finish();
    publisher_thread_.join();
  }
  if (threads_.empty()) return;
  order_all({ShardOrder::Kind::stop, 0, 0, 0, Instant{}});
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  collect();
  for (int i = 0; i < kLastCommitsTicks && times_.waiting() != 0; ++i) {
    if (parts_.commits == nullptr || parts_.commits->fault()) break;
    if (parts_.pause(kTick) != 0) break;
    collect();
  }
  times_.finish();
}

}  // namespace rt
