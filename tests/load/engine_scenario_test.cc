// What keys of a scenario do to a run, against a scripted server.
#include <catch2/catch.hpp>

#include "load/engine.h"
#include "load/verdict.h"
#include "scripted_server.h"

namespace {

using rt::test::Script;
using rt::test::ScriptedProducer;
using rt::test::ScriptedServer;

struct Ran {
  rt::Outcome outcome;
  rt::Verdict verdict;
};

// Six subscribers of three topics, 600 events a second; `overrides` as --set takes them.
Ran run(const std::vector<std::string>& overrides, Script script = {}) {
  ScriptedServer server(std::move(script));
  const std::string text = R"({
    "name": "scripted", "seed": 7,
    "target": {"preset": "topics", "url": ")" +
                           server.url("/topics/{topic}/events") + R"("},
    "phases": [
      {"name": "ramp", "connections": {"to": 6, "rate": "2k/s"}, "max": "2s"},
      {"name": "main", "hold": "500ms", "measure": true},
      {"name": "drain", "hold": "2s"}
    ],
    "subscriptions": {"topics": {"count": 3, "name": "run-{n}"}},
    "publish": [{"id": "p", "producer": {"type": "http-post"}, "rate": "600/s"}],
    "reconnect": {"policy": {"base": "20ms", "max": "20ms"}},
    "gates": {"waive": ["client_saturation", "open_loop"]}
  })";
  const auto scenario = rt::parse_scenario(text, "test", overrides);
  if (!scenario) FAIL(scenario.error().text);
  const auto name_of = [&](std::uint32_t topic) {
    return scenario->subscriptions.topic_name(topic);
  };
  ScriptedProducer producer(server, name_of);
  const rt::SystemClock clock;
  rt::EngineParts parts;
  parts.producer = &producer;
  parts.commits = &server;
  parts.pause = [](std::chrono::milliseconds time) {
    ::poll(nullptr, 0, static_cast<int>(time.count()));
    return 0;
  };
  auto outcome = rt::run_scenario(*scenario, parts, clock);
  if (!outcome) FAIL(outcome.error().text);
  Ran ran{std::move(*outcome), {}};
  ran.verdict = rt::judge(*scenario, ran.outcome);
  for (const rt::Reason& reason : ran.verdict.reasons) UNSCOPED_INFO(reason.text);
  return ran;
}

std::string phases_with(const std::string& warm) {
  return R"(phases=[{"name": "ramp", "connections": {"to": 6, "rate": "2k/s"}}, )" + warm +
         R"(, {"name": "main", "hold": "500ms", "measure": true},
            {"name": "drain", "hold": "2s"}])";
}

}  // namespace

TEST_CASE("engine: a phase that has not settled at its max makes the run invalid",
          "[load][engine]") {
  const Ran ran = run(
      {phases_with(R"({"name": "warm", "hold": "300ms", "max": "1s", "until": "stationary"})")});
  CHECK(ran.outcome.phases[1].stationary == false);
  CHECK(ran.outcome.phases[1].duration_s == Approx(1).margin(0.001));
  CHECK(ran.outcome.phases[1].offered == 600);
  CHECK(ran.outcome.phases[2].offered == 300);
  CHECK(ran.outcome.integrity.lost == 0);
  CHECK(ran.verdict.exit_status == 7);
}

TEST_CASE("engine: a phase ends as soon as latencies have settled", "[load][engine][.long]") {
  const Ran ran = run({phases_with(R"({"name": "warm", "hold": "1s", "max": "60s",
                                       "until": "stationary"})")});
  CHECK(ran.outcome.phases[1].stationary == true);
  CHECK(ran.outcome.phases[1].duration_s < 35);
  CHECK(ran.outcome.phases[1].duration_s > 19);
  CHECK(ran.outcome.phases[2].offered == 300);
  CHECK(ran.outcome.integrity.lost == 0);
  CHECK(ran.verdict.exit_status == 0);
}

TEST_CASE("engine: the slowest deliveries are kept with every stage's instant", "[load][engine]") {
  const Ran ran = run({"report.keep_worst=5"});
  const auto& slowest = ran.outcome.slowest;
  CHECK(slowest.most == 5);
  REQUIRE(slowest.list.size() == 5);
  CHECK(slowest.list.front().delivery_us == ran.outcome.measured().delivery.max_us());
  for (const rt::SlowDelivery& slow : slowest.list) {
    CHECK(slow.phase == "main");
    CHECK_THAT(slow.topic, Catch::StartsWith("run-"));
    CHECK(slow.connection % 3 == static_cast<std::uint64_t>(slow.topic.back() - '0'));
    CHECK(slow.event >= 1);
    CHECK(slow.event <= 300);
    CHECK(slow.intended_unix_us <= slow.committed_unix_us);
    CHECK(slow.committed_unix_us <= slow.arrived_unix_us);
    CHECK(slow.arrived_unix_us <= slow.parsed_unix_us);
    CHECK(slow.parsed_unix_us - slow.committed_unix_us == slow.delivery_us);
  }
  CHECK(run({"report.keep_worst=0"}).outcome.slowest.list.empty());
}

TEST_CASE("engine: leavings that rate_cap puts off take place, one after another",
          "[load][engine]") {
  const Ran ran =
      run({R"(churn={"lifetime": "100ms", "rate_cap": "20/s"})", "phases.main.hold=1500ms"});
  // All six are over at once, and from then on 20 a second leave.
  CHECK(ran.outcome.churn.held_back >= 5);
  const auto left = static_cast<double>(ran.outcome.churn.left);
  CHECK(left >= 10 * ran.outcome.duration_s);
  CHECK(left <= 20 * ran.outcome.duration_s + 6);
  CHECK(ran.outcome.integrity.lost == 0);
}

TEST_CASE("engine: connections begin where the scenario says, in as many shards",
          "[load][engine]") {
  const Ran ran = run({R"(sources={"addresses": ["127.0.7.1", "127.0.7.2"], "shards": 3})"});
  CHECK(ran.outcome.client.shards == 3);
  CHECK(ran.outcome.client.source_addresses == std::vector<std::string>{"127.0.7.1", "127.0.7.2"});
  CHECK(ran.outcome.connections.held == 6);
  CHECK(ran.verdict.exit_status == 0);
}
