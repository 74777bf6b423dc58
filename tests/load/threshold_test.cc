#include "load/threshold.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "load/outcome.h"

using Catch::Matchers::Contains;
using rt::evaluate;
using rt::Outcome;
using rt::parse_threshold;
using rt::PhaseOutcome;
using rt::ThresholdState;

namespace {

// 99 deliveries of 10 ms and one of 400 ms in phase "main".
Outcome hundred() {
  Outcome outcome;
  PhaseOutcome& main = outcome.phases.emplace_back();
  main.name = "main";
  main.measured = true;
  main.duration_s = 10;
  main.expected = main.received = 100;
  for (int i = 0; i < 99; ++i) main.delivery.record(10'000);
  main.delivery.record(400'000);
  return outcome;
}

rt::ThresholdResult judged(const char* text, const Outcome& outcome, const char* phase = "") {
  auto threshold = parse_threshold(text);
  INFO(text);
  REQUIRE(threshold.has_value());
  threshold->phase = phase;
  return evaluate(*threshold, outcome);
}

}  // namespace

TEST_CASE("threshold: the grammar is metric, figure, comparison, value with unit",
          "[load][threshold]") {
  const auto read = parse_threshold(" delivery.p99.9<=1.5s ");
  REQUIRE(read.has_value());
  REQUIRE(read->stat == "p99.9");
  REQUIRE(read->comparison == rt::Comparison::less_equal);
  REQUIRE(read->value == 1'500'000);
  REQUIRE(read->text == "delivery.p99.9 <= 1.5s");
  REQUIRE(parse_threshold("delivery < 300ms")->stat == "p95");
  REQUIRE(parse_threshold("target.bytes_per_conn < 30KB")->value == 30'000);
  REQUIRE(parse_threshold("connect.fail_ratio < 0.1%")->value == Approx(0.001));
  REQUIRE(parse_threshold("delivery.rate >= 5k/s")->value == 5000);
}

TEST_CASE("threshold: what does not follow the grammar says why", "[load][threshold]") {
  const auto why = [](const char* text) {
    const auto read = parse_threshold(text);
    return read ? "accepted" : read.error().text;
  };
  REQUIRE_THAT(why("delivery.p95"), Contains("expected METRIC.FIGURE, a comparison"));
  REQUIRE_THAT(why("delivery.p95 < 300"), Contains("expected a duration like"));
  REQUIRE_THAT(why("delivery.p59 < 300ms"), Contains("unknown figure of delivery \"p59\""));
  REQUIRE_THAT(why("delivry.p95 < 300ms"), Contains("did you mean \"delivery\"?"));
  REQUIRE_THAT(why("delivery.p95 = 300ms"), Contains("expected METRIC.FIGURE, a comparison"));
  REQUIRE_THAT(why("integrity == 0"), Contains("unknown figure of integrity"));
  REQUIRE_THAT(why("integrity.lost == many"), Contains("expected a count"));
  REQUIRE_THAT(why("client.busy < "), Contains("expected a number"));
  REQUIRE_THAT(why("worst_conn.p99 < 5s"), Contains("unknown figure of worst_conn \"p99\""));
  REQUIRE_THAT(why("worst_topic < 2 * baseline"), Contains("has no baseline"));
  REQUIRE_THAT(why("cohort.slow.tls.p95 < 5s"), Contains("only delivery and intended"));
}

TEST_CASE("threshold: stages and handshakes have thresholds of their own", "[load][threshold]") {
  Outcome outcome = hundred();
  for (const char* text : {"commit_to_wire.p95 < 1s", "wire_to_parse.p95 < 1s", "tls.p95 < 1s"}) {
    REQUIRE(judged(text, outcome).state == ThresholdState::unmeasured);
  }
  for (int i = 0; i < 100; ++i) outcome.phases[0].commit_to_wire.record(9'000);
  for (int i = 0; i < 100; ++i) outcome.phases[0].receive_queue.record(1'000);
  outcome.tls.record(5'000);
  REQUIRE(judged("commit_to_wire.p95 < 10ms", outcome).state == ThresholdState::pass);
  REQUIRE(judged("commit_to_wire.p95 < 9ms", outcome).state == ThresholdState::fail);
  REQUIRE(judged("wire_to_parse.p99 <= 1ms", outcome).state == ThresholdState::pass);
  REQUIRE(judged("tls < 5ms", outcome).state == ThresholdState::fail);
  outcome.phases[0].expected = 110;  // what never arrived never left, either
  REQUIRE(judged("commit_to_wire.p95 < 10ms", outcome).state == ThresholdState::fail);
}

TEST_CASE("threshold: passes and fails by the measured figure", "[load][threshold]") {
  const Outcome outcome = hundred();
  REQUIRE(judged("delivery.p95 < 300ms", outcome).state == ThresholdState::pass);
  REQUIRE(judged("commit_to_client.p95 < 300ms", outcome).state == ThresholdState::pass);
  REQUIRE(judged("delivery.p95 < 10ms", outcome).state == ThresholdState::fail);
  REQUIRE(judged("delivery.p95 <= 10100us", outcome, "main").state == ThresholdState::pass);
  REQUIRE(judged("delivery.max < 300ms", outcome).state == ThresholdState::fail);
  REQUIRE(judged("delivery.count == 100", outcome).state == ThresholdState::pass);
  REQUIRE(judged("delivery.count != 100", outcome).state == ThresholdState::fail);
  REQUIRE(judged("delivery.rate >= 10/s", outcome).state == ThresholdState::pass);
  REQUIRE(judged("delivery.rate > 10/s", outcome).state == ThresholdState::fail);
  REQUIRE(judged("delivery.max < 300ms", outcome).measured_text == "400.0 ms");
}

TEST_CASE("threshold: what never arrived makes a percentile infinite", "[load][threshold]") {
  Outcome outcome = hundred();
  outcome.phases[0].expected = 110;
  const auto result = judged("delivery.p95 < 300ms", outcome);
  REQUIRE(std::isinf(result.measured));
  REQUIRE(result.state == ThresholdState::fail);
  REQUIRE(judged("delivery.p50 < 300ms", outcome).state == ThresholdState::pass);
  REQUIRE(judged("delivery.mean < 1h", outcome).state == ThresholdState::fail);
  REQUIRE(judged("integrity.undelivered == 0", outcome).state == ThresholdState::fail);
}

TEST_CASE("threshold: nothing measured is neither pass nor fail", "[load][threshold]") {
  const Outcome empty;
  for (const char* text :
       {"delivery.p95 < 300ms", "connect.p95 < 1s", "target.cpu < 2", "first_event < 1s",
        "target.bytes_per_connection < 30KB", "load.achieved_ratio > 0.99", "late.p99 < 1s",
        "client.bytes_per_connection < 1KiB", "delivery.ratio == 1"}) {
    REQUIRE(judged(text, empty).state == ThresholdState::unmeasured);
  }
  REQUIRE(judged("delivery.p95 < 300ms", hundred(), "storm").state == ThresholdState::unmeasured);
}

TEST_CASE("threshold: single figures come from their part of the outcome", "[load][threshold]") {
  Outcome outcome = hundred();
  outcome.integrity.lost = 3;
  outcome.connections.asked = 100;
  outcome.connections.count(rt::ConnectFailure::refused);
  outcome.connect.record(1000);
  outcome.client.busy_max = 0.5;
  outcome.target.sampled = true;
  outcome.target.bytes_per_connection = 24'000;
  outcome.phases[0].offered = 100;
  outcome.phases[0].sent = 99;
  REQUIRE(judged("integrity.lost == 0", outcome).state == ThresholdState::fail);
  REQUIRE(judged("integrity.duplicate == 0", outcome).state == ThresholdState::pass);
  REQUIRE(judged("connect.fail_ratio <= 1%", outcome).state == ThresholdState::pass);
  REQUIRE(std::isinf(judged("connect.p95 < 1s", outcome).measured));
  REQUIRE(judged("client.busy < 0.6", outcome).state == ThresholdState::pass);
  REQUIRE(judged("target.bytes_per_connection < 30KB", outcome).state == ThresholdState::pass);
  REQUIRE(judged("load.achieved_ratio >= 0.99", outcome).state == ThresholdState::pass);
}

TEST_CASE("threshold: a factor of the baseline is held against that phase, with 1 ms to spare",
          "[load][threshold]") {
  const auto threshold = rt::parse_threshold("cohort.healthy.delivery.p95 < 1.1*baseline");
  REQUIRE(threshold);
  CHECK(threshold->text == "cohort.healthy.delivery.p95 < 1.1 * baseline");
  rt::Outcome outcome;
  for (const char* name : {"baseline", "main"}) {
    rt::PhaseOutcome phase;
    phase.name = name;
    phase.measured = true;
    phase.received = phase.expected = 100;
    outcome.phases.push_back(phase);
  }
  const auto state_with = [&](std::int64_t before_us, std::int64_t after_us) {
    for (std::size_t p = 0; p < 2; ++p) {
      rt::Histogram latency;
      for (int i = 0; i < 100; ++i) latency.record(p == 0 ? before_us : after_us);
      outcome.phases[p].delivery = latency;
    }
    rt::Threshold in_main = *threshold;
    in_main.phase = "main";
    return rt::evaluate(in_main, outcome).state;
  };
  CHECK(state_with(100'000, 109'000) == rt::ThresholdState::pass);
  CHECK(state_with(100'000, 112'000) == rt::ThresholdState::fail);
  CHECK(state_with(2'000, 2'900) == rt::ThresholdState::pass);
  CHECK(state_with(2'000, 3'100) == rt::ThresholdState::fail);
  outcome.phases[0].name = "before";  // no phase is called so: the first measured one
  CHECK(state_with(100'000, 109'000) == rt::ThresholdState::pass);
  CHECK(state_with(100'000, 112'000) == rt::ThresholdState::fail);
  outcome.phases[1].tag = "baseline";
  CHECK(state_with(100'000, 112'000) == rt::ThresholdState::pass);  // to itself
}

TEST_CASE("threshold: a cohort's deliveries are its own", "[load][threshold]") {
  rt::Outcome outcome;
  rt::CohortOutcome slow;
  slow.name = "slow";
  rt::PhaseOutcome phase;
  phase.name = "main";
  phase.measured = true;
  phase.received = phase.expected = 1;
  phase.delivery.record(7'000);
  slow.phases.push_back(phase);
  outcome.cohorts.push_back(slow);
  const auto measured = [&](const char* text) {
    return rt::evaluate(rt::parse_threshold(text).value(), outcome).measured;
  };
  CHECK(measured("cohort.slow.delivery.max < 1s") == 7'000);
  CHECK(std::isnan(measured("cohort.healthy.delivery.max < 1s")));
  CHECK_THAT(rt::parse_threshold("cohort.slow.connect.p95 < 1s").error().text,
             Catch::Contains("only delivery and intended"));
}
