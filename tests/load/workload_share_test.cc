#include "load/workload_share.h"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <tuple>

#include "load/payload.h"
#include "load/publish_work.h"
#include "load/schedule.h"
#include "load/shard.h"

using rt::Scenario;
using rt::Schedule;
using rt::ShardOf;
using rt::TopicChoice;
using rt::WorkloadShare;

namespace {

Scenario scenario_of(std::uint64_t seed, std::uint64_t topics, std::uint64_t first,
                     std::uint64_t second, rt::ChoiceKind kind) {
  Scenario scenario;
  scenario.seed = seed;
  scenario.subscriptions.topics = topics;
  scenario.subscriptions.choice.kind = kind;
  scenario.phases.resize(3);
  scenario.phases[0].name = "ramp";
  scenario.phases[0].connections = rt::ConnectionGoal{first, 500, rt::Arrival::poisson};
  scenario.phases[1].name = "main";
  scenario.phases[2].name = "more";
  scenario.phases[2].connections = rt::ConnectionGoal{second, 900, rt::Arrival::constant};
  return scenario;
}

// Which connection a phase opens, to which topic, when, and in which cohort, as a shard sees it.
using Opening = std::tuple<std::size_t, std::uint64_t, std::uint64_t, std::int64_t, int>;

void open_all(const Scenario& scenario, const ShardOf& shard, std::set<Opening>& out) {
  const WorkloadShare share = WorkloadShare::of(scenario, shard).value();
  rt::ShardPlan plan;
  plan.members = share.members();
  plan.ramp_bases = share.ramp_bases();
  plan.seed = scenario.seed;
  plan.cohorts.resize(2);
  plan.cohorts[0].share = 0.2;
  plan.cohorts[1].share = 0.3;
  const TopicChoice choice(scenario.subscriptions.choice, scenario.subscriptions.topics,
                           scenario.seed, "subscriptions");
  std::uint64_t from = 0;
  for (std::size_t phase = 0; phase < scenario.phases.size(); ++phase) {
    const rt::PhaseSpec& local = share.scenario().phases[phase];
    plan.ramps.emplace_back(local.connections.value_or(rt::ConnectionGoal{}), scenario.seed,
                            local.name);
    if (!local.connections) continue;
    for (std::uint64_t k = from; k < local.connections->to; ++k) {
      const std::uint64_t number = plan.number_in_run(k);
      RC_ASSERT(out.emplace(phase, number, choice.of(number), plan.ramp_due(phase, k, from).count(),
                            plan.cohort_of(k))
                    .second);
    }
    from = local.connections->to;
  }
}

}  // namespace

TEST_CASE("workload share: any number of shards open the connections of one, at the same instants",
          "[load][shard]") {
  rc::check([] {
    const auto first = *rc::gen::inRange<std::uint64_t>(1, 300);
    const auto second = first + *rc::gen::inRange<std::uint64_t>(1, 300);
    const auto topics = *rc::gen::inRange<std::uint64_t>(1, 50);
    const Scenario scenario =
        scenario_of(*rc::gen::arbitrary<std::uint64_t>(), topics, first, second,
                    *rc::gen::element(rt::ChoiceKind::uniform, rt::ChoiceKind::zipf,
                                      rt::ChoiceKind::one, rt::ChoiceKind::round_robin));
    std::set<Opening> whole;
    open_all(scenario, ShardOf{}, whole);
    RC_ASSERT(whole.size() == second);
    const auto count = static_cast<unsigned>(*rc::gen::inRange<std::uint64_t>(1, topics + 1));
    std::set<Opening> together;
    for (unsigned number = 0; number < count; ++number) {
      open_all(scenario, ShardOf{number, count}, together);
    }
    RC_ASSERT(whole == together);
  });
}

TEST_CASE("workload share: each event belongs to exactly one shard, that of its subscribers",
          "[load][shard]") {
  rc::check([] {
    const auto count = static_cast<unsigned>(*rc::gen::inRange(1, 9));
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const TopicChoice events({rt::ChoiceKind::zipf, 1.1}, 1'000, seed, "publish topics");
    for (std::uint64_t n = 0; n < 200; ++n) {
      unsigned owners = 0;
      for (unsigned number = 0; number < count; ++number) {
        owners += ShardOf{number, count}.owns(events.of(n)) ? 1U : 0U;
      }
      RC_ASSERT(owners == 1u);
    }
  });
}

// What a shard publishes: entry, number, instant, and the payload with its number in its topic.
using Event = std::tuple<std::size_t, std::uint64_t, std::int64_t, std::string>;

void publish_all(const Scenario& scenario, const ShardOf& shard, std::set<Event>& out) {
  const WorkloadShare share = WorkloadShare::of(scenario, shard).value();
  const std::vector<rt::PublishWork> works = rt::publish_works(share.scenario()).value();
  std::vector<std::uint32_t> last(scenario.subscriptions.topics, 0);
  for (std::size_t entry = 0; entry < works.size(); ++entry) {
    const rt::PublishWork& work = works[entry];
    for (std::uint64_t n = 0; n < 60; ++n) {
      const std::uint32_t topic = work.topic(n);
      if (!shard.owns(topic)) continue;
      std::string value;
      work.value().append(value, scenario.subscriptions.topic_name(topic), ++last[topic], 1);
      std::string payload;
      rt::append_payload(payload, {1, 1, last[topic], 0}, work.bytes(n), work.filler(n), value);
      RC_ASSERT(out.emplace(entry, n, work.due(n).count(), payload).second);
    }
  }
}

TEST_CASE("workload share: any number of shards publish the events of one, byte for byte",
          "[load][shard]") {
  rc::check([] {
    const auto topics = *rc::gen::inRange<std::uint64_t>(2, 40);
    Scenario scenario = scenario_of(*rc::gen::arbitrary<std::uint64_t>(), topics, 10, 20,
                                    rt::ChoiceKind::round_robin);
    scenario.publish.resize(2);
    for (rt::PublishSpec& spec : scenario.publish) {
      spec.rate = {{rt::Duration::zero(), 100, rt::Duration::zero()}};
      spec.size = {rt::SizeSpec::Dist::lognormal, 100, 400};
      spec.entropy = 0.5;
      spec.value = rt::PayloadTemplate::compile(R"({"topic":"{topic}","n":{seq}})").value();
    }
    scenario.publish[0].arrival = rt::Arrival::poisson;
    scenario.publish[1].arrival = rt::Arrival::burst;
    scenario.publish[1].burst = 7;
    std::set<Event> whole;
    publish_all(scenario, ShardOf{}, whole);
    RC_ASSERT(whole.size() == 120u);
    const auto count = static_cast<unsigned>(*rc::gen::inRange<std::uint64_t>(1, topics + 1));
    std::set<Event> together;
    for (unsigned number = 0; number < count; ++number) {
      publish_all(scenario, ShardOf{number, count}, together);
    }
    RC_ASSERT(whole == together);
  });
}

TEST_CASE("workload share: fewer topics than shards are refused", "[load][shard]") {
  const auto share = WorkloadShare::of(scenario_of(1, 3, 10, 20, rt::ChoiceKind::uniform), {0, 4});
  REQUIRE_FALSE(share.has_value());
  REQUIRE(share.error().code == rt::Code::usage);
}

TEST_CASE("shard: i/n with i below n", "[load][shard]") {
  REQUIRE(rt::parse_shard("3/4").value().number == 3);
  REQUIRE(rt::parse_shard("0/1").value().count == 1);
  for (const char* wrong : {"", "4/4", "1", "1/", "/4", "-1/4", "1/4/2", "a/b", "0/0", "0/99999"}) {
    INFO(wrong);
    REQUIRE_FALSE(rt::parse_shard(wrong).has_value());
  }
}
