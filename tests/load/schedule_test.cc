#include "load/schedule.h"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

using namespace std::chrono_literals;
using rt::Arrival;
using rt::Choice;
using rt::ChoiceKind;
using rt::Duration;
using rt::RateStep;
using rt::Schedule;
using rt::TopicChoice;

namespace {

Schedule steady(double per_s, Arrival arrival, std::uint64_t seed = 7) {
  return Schedule({RateStep{0s, per_s, 0s}}, arrival, seed, "publish");
}

std::vector<RateStep> random_steps() {
  std::vector<RateStep> steps;
  Duration at{};
  const int count = *rc::gen::inRange(1, 5);
  for (int i = 0; i < count; ++i) {
    const Duration ramp = std::chrono::milliseconds(*rc::gen::inRange(0, 3000));
    steps.push_back({at, static_cast<double>(*rc::gen::inRange(i == 0 ? 1 : 0, 500)), ramp});
    at += ramp + std::chrono::milliseconds(*rc::gen::inRange(1, 3000));
  }
  return steps;
}

}  // namespace

TEST_CASE("schedule: constant arrivals are evenly spaced from the start", "[load][schedule]") {
  const Schedule schedule = steady(1000, Arrival::constant);
  REQUIRE(schedule.due(0) == 500us);
  REQUIRE(schedule.due(1) == 1500us);
  REQUIRE(schedule.due(999'999) == 999s + 999'500us);
  REQUIRE(schedule.count_before(1s) == 1000);
  REQUIRE(schedule.count_before(0s) == 0);
}

TEST_CASE("schedule: instants never decrease and counting agrees with them", "[load][schedule]") {
  rc::prop("monotone, and count_before(t) is the least n due at t or later", [] {
    const Arrival arrival = *rc::gen::element(Arrival::constant, Arrival::poisson);
    const Schedule schedule(random_steps(), arrival, *rc::gen::arbitrary<std::uint64_t>(), "x");
    const auto n = static_cast<std::uint64_t>(*rc::gen::inRange(0, 2000));
    RC_ASSERT(schedule.due(n) <= schedule.due(n + 1));
    const Duration t = std::chrono::microseconds(*rc::gen::inRange(0, 20'000'000));
    const std::uint64_t count = schedule.count_before(t);
    RC_ASSERT(schedule.due(count) >= t);
    RC_ASSERT(count == 0 || schedule.due(count - 1) < t);
  });
}

TEST_CASE("schedule: a linear ramp offers the area under it", "[load][schedule]") {
  const Schedule schedule({RateStep{0s, 200, 0s}, RateStep{10s, 2000, 30s}}, Arrival::constant, 1,
                          "x");
  REQUIRE(schedule.rate_at(5s) == 200);
  REQUIRE(schedule.rate_at(25s) == 1100);
  REQUIRE(schedule.rate_at(50s) == 2000);
  REQUIRE(schedule.count_before(10s) == 2000);
  REQUIRE(schedule.count_before(40s) == 2000 + 33'000);
  REQUIRE(schedule.count_before(41s) == 2000 + 33'000 + 2000);
}

TEST_CASE("schedule: a rate of zero pauses, and at the end stops", "[load][schedule]") {
  const Schedule schedule(
      {RateStep{0s, 10, 0s}, RateStep{1s, 0, 0s}, RateStep{3s, 10, 0s}, RateStep{4s, 0, 0s}},
      Arrival::constant, 1, "x");
  REQUIRE(schedule.due(9) == 950ms);
  REQUIRE(schedule.due(10) == 3050ms);
  REQUIRE(schedule.due(20) == Duration::max());
  REQUIRE(schedule.count_before(24h) == 20);
}

TEST_CASE("schedule: poisson arrivals keep the rate and spread like independent ones",
          "[load][schedule]") {
  const Schedule schedule = steady(1000, Arrival::poisson);
  constexpr std::uint64_t kEvents = 64'000;
  double sum = 0;
  double squares = 0;
  std::uint64_t short_gaps = 0;
  for (std::uint64_t n = 0; n + 1 < kEvents; ++n) {
    const double gap_ms =
        static_cast<double>((schedule.due(n + 1) - schedule.due(n)).count()) / 1e6;
    sum += gap_ms;
    squares += gap_ms * gap_ms;
    short_gaps += gap_ms < 0.1 ? 1 : 0;
  }
  const double mean = sum / kEvents;
  REQUIRE(mean == Approx(1.0).epsilon(0.001));
  // An exponential gap has a standard deviation equal to its mean, and 9.5 % of gaps below a tenth
  // of it.
  REQUIRE(std::sqrt(squares / kEvents - mean * mean) == Approx(1.0).margin(0.05));
  REQUIRE(static_cast<double>(short_gaps) / kEvents == Approx(0.095).margin(0.01));
}

TEST_CASE("schedule: the workload is the same for any number of shards", "[load][schedule]") {
  rc::prop("shards", [] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const auto shards = static_cast<std::uint64_t>(*rc::gen::inRange(1, 9));
    const auto steps = random_steps();
    const Choice choice{
        *rc::gen::element(ChoiceKind::uniform, ChoiceKind::zipf, ChoiceKind::round_robin), 1.1};
    const Schedule whole(steps, Arrival::poisson, seed, "publish");
    const TopicChoice topics(choice, 100, seed, "publish.topic");
    std::uint64_t seen = 0;
    for (std::uint64_t shard = 0; shard < shards; ++shard) {  // each shard builds its own
      const Schedule part(steps, Arrival::poisson, seed, "publish");
      const TopicChoice part_topics(choice, 100, seed, "publish.topic");
      for (std::uint64_t n = shard; n < 100; n += shards, ++seen) {
        RC_ASSERT(part.due(n) == whole.due(n));
        RC_ASSERT(part_topics.of(n) == topics.of(n));
      }
    }
    RC_ASSERT(seen == 100u);
  });
}

TEST_CASE("schedule: seeds and purposes give different instants", "[load][schedule]") {
  REQUIRE(steady(100, Arrival::poisson, 1).due(5) != steady(100, Arrival::poisson, 2).due(5));
  const Schedule other({RateStep{0s, 100, 0s}}, Arrival::poisson, 1, "other");
  REQUIRE(steady(100, Arrival::poisson, 1).due(5) != other.due(5));
}

TEST_CASE("topic choice: zipf ranks have the weights of the law", "[load][schedule]") {
  for (const double s : {0.8, 1.0, 1.1, 2.0}) {
    constexpr std::uint64_t kTopics = 50;
    constexpr std::uint64_t kDraws = 100'000;
    const TopicChoice choice({ChoiceKind::zipf, s}, kTopics, 3, "topic");
    std::vector<double> found(kTopics, 0);
    for (std::uint64_t n = 0; n < kDraws; ++n) found.at(choice.of(n)) += 1.0 / kDraws;
    double norm = 0;
    for (std::uint64_t k = 1; k <= kTopics; ++k) norm += std::pow(static_cast<double>(k), -s);
    for (std::uint64_t k = 1; k <= kTopics; ++k) {
      const double share = std::pow(static_cast<double>(k), -s) / norm;
      REQUIRE(found[k - 1] == Approx(share).margin(0.005));
    }
  }
}

TEST_CASE("topic choice: uniform, one and round_robin stay in range and do what they say",
          "[load][schedule]") {
  const TopicChoice uniform({ChoiceKind::uniform, 1}, 10, 3, "topic");
  std::vector<int> counts(10, 0);
  for (std::uint64_t n = 0; n < 10'000; ++n) ++counts.at(uniform.of(n));
  for (const int count : counts) REQUIRE(count == Approx(1000).margin(150));
  REQUIRE(TopicChoice({ChoiceKind::one, 1}, 10, 3, "topic").of(77) == 0);
  REQUIRE(TopicChoice({ChoiceKind::round_robin, 1}, 10, 3, "topic").of(77) == 7);
  REQUIRE(TopicChoice({ChoiceKind::zipf, 1.1}, 1, 3, "topic").of(5) == 0);
}
