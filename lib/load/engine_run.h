// The control thread of a run. Private to the engine's source files.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "load/clock_watch.h"
#include "load/delivery_times.h"
#include "load/disturbances.h"
#include "load/engine.h"
#include "load/environment.h"
#include "load/fault_command.h"
#include "load/fault_proxy.h"
#include "load/phase_run.h"
#include "load/publisher.h"
#include "load/shard.h"
#include "load/stationarity.h"
#include "load/thread_use.h"
#include "load/worst_cases.h"

namespace rt {

// What is decided before anything starts.
struct EnginePlan {
  ShardPlan shards;
  std::vector<std::uint32_t> watchers;  // by topic
  std::size_t descriptor_limit = 0;
  std::int64_t target_pid = 0;
  std::unique_ptr<FaultProxy> proxy;  // shards connect to it, if the scenario has faults
};
Result<EnginePlan> make_engine_plan(const Scenario& scenario, const EngineParts& parts,
                                    const Clock& clock);

// Leaves of a plan for share.scenario() what belongs to that share of the run.
void take_share(const WorkloadShare& share, const std::string& run_id, EnginePlan& plan);

class EngineRun {
 public:
  EngineRun(const Scenario& scenario, const EngineParts& parts, const Clock& clock,
            EnginePlan plan);
  ~EngineRun();

  Result<Outcome> run();

 private:
  // Processor time of every thread at one moment.
  struct UseMark {
    std::vector<std::pair<Instant, std::int64_t>> threads;  // shards, then the publisher
    std::pair<Instant, std::int64_t> control;
    ProcessUse process;
    TargetSample target;
    StolenTime stolen;
  };

  Result<void> start();
  void loop();
  void drain(Duration at_most);
  bool wait_a_tick();  // false: a second signal says that enough is enough
  void collect();
  void advance(Instant now);
  void begin_measuring();
  void begin_ramp();
  void begin_hold();
  void announce_end();
  void watch_warm_up(Instant now);
  void end_phase();
  void disturb(Instant now);
  bool ends_early(Instant now);
  void census();
  void settle_target();
  void weigh();
  void second(Instant now);
  bool is_complete() const;
  bool is_hopeless() const;
  void order_all(const ShardOrder& order);
  void stop_all();
  UseMark mark_use() const;
  bool samples_target() const { return plan_.target_pid != 0 || parts_.target_use; }
  TargetSample sample_target() const;

  void fill_outcome();
  template <typename Take>
  void each_subscription(Take take) const;
  void settle();
  void count_deaf();
  void settle(std::uint32_t subscription, std::uint32_t topic, std::size_t phase,
              const Ledger::Due& due);
  PhaseOutcome& place_of(std::uint8_t cohort, std::size_t phase);
  void fill_cohorts();
  void fill_counts();
  void fill_slowest();
  void fill_client();
  void fill_target();
  void fill_clock();
  double seconds_since_start(Instant t) const;

  std::uint64_t held() const;
  std::uint64_t gave_up() const;
  std::uint64_t received() const;

  const Scenario& scenario_;
  const EngineParts& parts_;
  const Clock& clock_;
  EnginePlan plan_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::thread> threads_;
  std::unique_ptr<Publisher> publisher_;
  std::thread publisher_thread_;

  PhaseRun phases_;
  Disturbances disturbances_;
  FaultCommands commands_;
  ClockWatch clock_watch_;
  WorstCases worst_;
  Slowest slowest_;
  DeliveryTimes times_;
  std::vector<Commit> commits_;
  std::vector<ShardStatus> statuses_;
  PublisherStatus published_;
  std::int64_t late_max_us_ = 0;

  Outcome outcome_;
  Instant start_{};
  Instant second_at_{};
  Instant abort_check_at_{};
  SecondSample last_totals_;
  std::uint64_t ramped_to_ = 0;
  Stationarity settling_;       // of the phase under way
  bool end_announced_ = false;  // of the phase under way, to the publisher
  bool publishing_ended_ = false;
  bool counted_ = false;
  bool over_ = false;
  bool stop_now_ = false;
  std::optional<UseMark> measure_begin_;
  std::optional<UseMark> measure_end_;
  ProcessUse client_before_;
  TargetSample target_before_;
  // When connections are held and nothing was published yet: what an idle one costs.
  struct Weight {
    std::uint64_t client_rss = 0;
    std::uint64_t target_rss = 0;
    std::uint64_t held = 0;
  };
  Weight idle_;
  std::uint64_t client_rss_at_census_ = 0;
  std::uint64_t target_rss_at_census_ = 0;
  std::uint64_t held_at_census_ = 0;
};

}  // namespace rt
