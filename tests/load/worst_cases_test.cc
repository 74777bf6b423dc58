#include "load/worst_cases.h"

#include <catch2/catch.hpp>

#include "load/delivery_times.h"

using rt::SubjectTimes;
using rt::WorstCases;

namespace {

constexpr double kLimitUs = 300'000;

void record(SubjectTimes& times, std::uint32_t subject, std::int64_t us, int count) {
  for (int i = 0; i < count; ++i) times.record(subject, us);
}

rt::Scenario scenario_with(const std::vector<std::string>& thresholds) {
  rt::Scenario scenario;
  scenario.phases.resize(2);
  scenario.phases[0].name = "warm";
  scenario.phases[0].connections = rt::ConnectionGoal{4, 1'000, rt::Arrival::constant};
  scenario.phases[1].name = "main";
  scenario.phases[1].measure = true;
  scenario.subscriptions.topics = 2;
  for (const std::string& text : thresholds) {
    scenario.thresholds.push_back(rt::parse_threshold(text).value());
  }
  return scenario;
}

std::uint32_t topic_of(std::uint64_t connection) {
  return static_cast<std::uint32_t>(connection % 2);
}

rt::Outcome outcome_with(std::vector<rt::WorstCase> worst) {
  rt::Outcome outcome;
  outcome.phases.resize(1);
  outcome.phases[0].measured = true;
  outcome.worst = std::move(worst);
  return outcome;
}

}  // namespace

TEST_CASE("subject times: one starving subject is found among many content ones", "[load][worst]") {
  SubjectTimes times(1'000, kLimitUs, true);
  for (std::uint32_t subject = 0; subject < 1'000; ++subject) record(times, subject, 20'000, 100);
  record(times, 417, 900'000, 6);  // 6 of 106 deliveries: its p95
  const auto worst = times.worst(0.95);
  REQUIRE(worst);
  CHECK(worst->subject == 417);
  CHECK(worst->low_us < 900'000);
  CHECK(worst->high_us >= 900'000);
}

TEST_CASE("subject times: a percentile just on either side of the limit is told apart",
          "[load][worst]") {
  for (const bool below : {true, false}) {
    const std::int64_t last_good = below ? 299'999 : 300'000;
    SubjectTimes good(1, kLimitUs, below);
    record(good, 0, last_good, 100);
    CHECK(good.worst(0.95)->high_us == last_good);
    SubjectTimes bad(1, kLimitUs, below);
    record(bad, 0, last_good + 1, 100);
    CHECK(bad.worst(0.95)->low_us == last_good);
  }
}

TEST_CASE("subject times: a figure is known to 19 % from 20 ms to 2.4 s around 300 ms",
          "[load][worst]") {
  for (std::int64_t us = 20'000; us < 2'400'000; us += us / 7) {
    SubjectTimes times(1, kLimitUs, true);
    times.record(0, us);
    const auto worst = times.worst(0.95);
    CAPTURE(us);
    CHECK(worst->low_us < us);
    CHECK(worst->high_us >= us);
    CHECK(static_cast<double>(worst->high_us) <= 1.2 * static_cast<double>(worst->low_us));
  }
}

TEST_CASE("subject times: what never came is beyond any limit", "[load][worst]") {
  SubjectTimes times(3, kLimitUs, true);
  for (std::uint32_t subject = 0; subject < 3; ++subject) record(times, subject, 10'000, 100);
  times.miss(1, 5);
  CHECK_FALSE(times.worst(0.95)->never);  // 5 of 105
  times.miss(1, 1);
  CHECK(times.worst(0.95)->never);
  CHECK(times.worst(0.95)->subject == 1);
}

TEST_CASE("subject times: long runs keep their shares", "[load][worst]") {
  SubjectTimes times(1, kLimitUs, true);
  record(times, 0, 10'000, 1'000'000);
  record(times, 0, 1'000'000, 45'000);  // 4.3 %
  CHECK(times.worst(0.95)->high_us < 16'000);
  record(times, 0, 1'000'000, 15'000);  // 5.7 %
  CHECK(times.worst(0.95)->low_us > 800'000);
  times.miss(0, 1'000'000'000'000);
  CHECK(times.worst(0.95)->never);
}

TEST_CASE("subject times: nothing recorded is no figure", "[load][worst]") {
  CHECK_FALSE(SubjectTimes(10, kLimitUs, true).worst(0.95));
  CHECK_FALSE(SubjectTimes(0, kLimitUs, true).worst(0.95));
}

TEST_CASE("worst cases: nothing is kept unless a threshold asks", "[load][worst]") {
  const rt::Scenario scenario = scenario_with({"delivery.p95 < 300ms"});
  const WorstCases worst(scenario, 4, topic_of);
  CHECK(worst.empty());
  CHECK(worst.bytes() == 0);
  CHECK(WorstCases::bytes_for(scenario) == 0);
}

TEST_CASE("worst cases: 128 bytes a connection and a topic, as the plan says", "[load][worst]") {
  const rt::Scenario scenario = scenario_with({"worst_conn.p95 < 300ms", "worst_topic.p95 < 1s"});
  const WorstCases worst(scenario, 4, topic_of);
  CHECK(worst.bytes() == (4 + 2) * 128);
  CHECK(WorstCases::bytes_for(scenario) == worst.bytes());
}

TEST_CASE("worst cases: connection and topic are named, and only measured phases count",
          "[load][worst]") {
  const rt::Scenario scenario = scenario_with({"worst_conn.p95 < 300ms", "worst_topic.p95 < 1s"});
  WorstCases worst(scenario, 4, topic_of);
  rt::DeliveryTimes times(3, false, 2, &worst);
  const auto deliver = [&](std::uint32_t bucket, std::uint32_t connection, std::int64_t us) {
    times.take({0, us * 1'000, 0, 0, bucket, connection}, 0);
  };
  deliver(0, 0, 2'000'000);  // warm
  deliver(2, 1, 2'000'000);  // a cohort
  for (std::uint32_t connection = 0; connection < 4; ++connection) {
    for (int i = 0; i < 100; ++i) deliver(1, connection, connection == 3 ? 400'000 : 1'000);
  }
  const auto cases = worst.result(scenario);
  REQUIRE(cases.size() == 2);
  CHECK(cases[0].who == "connection 3, topic topic-1");
  CHECK(cases[1].who == "topic topic-1");  // half of its deliveries
  const rt::Outcome outcome = outcome_with(cases);
  const auto conn = rt::evaluate(scenario.thresholds[0], outcome);
  CHECK(conn.state == rt::ThresholdState::fail);
  CHECK_THAT(conn.measured_text, Catch::EndsWith("ms (connection 3, topic topic-1)"));
  CHECK(rt::evaluate(scenario.thresholds[1], outcome).state == rt::ThresholdState::pass);
}

TEST_CASE("worst cases: a threshold that nothing was kept for is unmeasured", "[load][worst]") {
  const rt::Outcome outcome = outcome_with({{"worst_conn", "", 300'000, 1, 2, false, "c"}});
  const auto state = [&](const char* text) {
    return rt::evaluate(rt::parse_threshold(text).value(), outcome).state;
  };
  CHECK(state("worst_conn.p95 < 300ms") == rt::ThresholdState::pass);
  CHECK(state("worst_conn.p95 < 200ms") == rt::ThresholdState::unmeasured);
  CHECK(state("worst_topic.p95 < 300ms") == rt::ThresholdState::unmeasured);
}
