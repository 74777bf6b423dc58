#include "load/engine.h"

#include <catch2/catch.hpp>
#include <map>

#include "load/verdict.h"
#include "scripted_server.h"

namespace {

using rt::test::Script;
using rt::test::ScriptedProducer;
using rt::test::ScriptedServer;
using Fate = Script::Fate;

struct Ran {
  rt::Outcome outcome;
  rt::Verdict verdict;
};

rt::Scenario scenario_for(const ScriptedServer& server, const std::string& preset,
                          const std::vector<std::string>& overrides = {}) {
  const std::string path = preset == "runs" ? "/v1/runs/stream" : "/topics/{topic}/events";
  const std::string text = R"({
    "name": "scripted", "seed": 7,
    "target": {"preset": ")" +
                           preset + R"(", "url": ")" + server.url(path) + R"(", "publish_url": ")" +
                           server.url("/publish") + R"("},
    "phases": [
      {"name": "ramp", "connections": {"to": 6, "rate": "2k/s"}, "max": "2s"},
      {"name": "main", "hold": "500ms", "measure": true},
      {"name": "drain", "hold": "2s"}
    ],
    "subscriptions": {"topics": {"count": 3, "name": "run-{n}"}},
    "publish": [{"id": "p", "producer": {"type": ")" +
                           std::string(preset == "runs" ? "pg-update" : "http-post") +
                           R"("}, "rate": "600/s"}],
    "reconnect": {"policy": {"base": "20ms", "max": "20ms"}},
    "gates": {"waive": ["client_saturation", "open_loop", "warm_up", "receive_queue"]}
  })";
  const auto scenario = rt::parse_scenario(text, "test", overrides);
  if (!scenario) FAIL(scenario.error().text);
  return *scenario;
}

Ran run(Script script, const std::string& preset = "topics", bool by_commit = true,
        const std::vector<std::string>& overrides = {}) {
  ScriptedServer server(std::move(script));
  const rt::Scenario scenario = scenario_for(server, preset, overrides);
  const auto name_of = [&](std::uint32_t topic) {
    return scenario.subscriptions.topic_name(topic);
  };
  ScriptedProducer producer(server, name_of);
  const rt::SystemClock clock;
  rt::EngineParts parts;
  parts.producer = &producer;
  parts.commits = by_commit ? &server : nullptr;
  parts.pause = [](std::chrono::milliseconds time) {
    ::poll(nullptr, 0, static_cast<int>(time.count()));
    return 0;
  };
  auto outcome = rt::run_scenario(scenario, parts, clock);
  if (!outcome) FAIL(outcome.error().text);
  Ran ran{std::move(*outcome), {}};
  ran.verdict = rt::judge(scenario, ran.outcome);
  for (const rt::Reason& reason : ran.verdict.reasons) UNSCOPED_INFO(reason.text);
  return ran;
}

auto once(std::uint64_t number, Fate fate) {
  return [=](std::uint64_t n) { return n == number ? fate : Fate::deliver; };
}

}  // namespace

TEST_CASE("engine: an honest server passes, and every sum balances", "[load][engine]") {
  Script script;
  const Ran ran = run(script);
  CHECK(ran.verdict.exit_status == 0);
  CHECK(ran.outcome.connections.held == 6);
  const rt::PhaseOutcome main = ran.outcome.measured();
  CHECK(main.offered == 300);
  CHECK(main.acknowledged == 300);
  CHECK(main.expected == 600);  // two subscribers for each topic
  CHECK(main.received == 600);
  CHECK(main.delivery.count() == 600);
  CHECK(main.untimed == 0);
  CHECK(main.receive_queue.count() == 600);
  CHECK(main.commit_to_wire.count() == 600);
  CHECK(main.commit_to_wire.min_us() <= main.delivery.min_us());
  CHECK(ran.outcome.integrity.parsed == 600);
}

TEST_CASE("engine: without a database clock delivery counts from the intended instant",
          "[load][engine]") {
  const Ran ran = run(Script{}, "topics", false);
  CHECK(ran.verdict.exit_status == 0);
  CHECK_FALSE(ran.outcome.delivery_from_commit);
  CHECK(ran.outcome.measured().delivery.count() == 600);
}

TEST_CASE("engine: an event that never arrives is lost for each of its subscribers: exit 6",
          "[load][engine]") {
  Script script;
  script.fate = once(100, Fate::drop);
  const Ran ran = run(script);
  CHECK(ran.verdict.exit_status == 6);
  CHECK(ran.outcome.integrity.lost == 2);
  CHECK(ran.outcome.integrity.duplicate == 0);
  CHECK(ran.outcome.integrity.reorder == 0);
  CHECK(ran.outcome.measured().received == 598);
  CHECK_THAT(ran.outcome.integrity.first_lost, Catch::StartsWith("topic run-"));
}

TEST_CASE("engine: an event that arrives twice is a duplicate: exit 6", "[load][engine]") {
  Script script;
  script.fate = once(100, Fate::twice);
  const Ran ran = run(script);
  CHECK(ran.verdict.exit_status == 6);
  CHECK(ran.outcome.integrity.lost == 0);
  CHECK(ran.outcome.integrity.duplicate == 2);
  CHECK(ran.outcome.integrity.reorder == 0);
}

TEST_CASE("engine: an event that arrives after its successor is reordered: exit 6",
          "[load][engine]") {
  Script script;
  script.fate = once(100, Fate::after_next);
  const Ran ran = run(script);
  CHECK(ran.verdict.exit_status == 6);
  CHECK(ran.outcome.integrity.lost == 0);
  CHECK(ran.outcome.integrity.duplicate == 0);
  CHECK(ran.outcome.integrity.reorder == 2);
}

TEST_CASE("engine: a stream cut inside an event resumes and nothing is lost or doubled",
          "[load][engine]") {
  Script script;
  script.fate = once(100, Fate::cut_in_half);
  const Ran ran = run(script);
  CHECK(ran.verdict.exit_status == 0);
  CHECK(ran.outcome.integrity.lost == 0);
  CHECK(ran.outcome.integrity.duplicate == 0);
  CHECK(ran.outcome.resume.resumed == 2);
  CHECK(ran.outcome.resume.replayed >= 2);
  CHECK(ran.outcome.measured().received == 600);
}

TEST_CASE("engine: a state that answers an impossible id is no loss, and a signalled gap",
          "[load][engine]") {
  for (const char* last_id : {"garbage", "future", "omit"}) {
    Script script;
    script.sends_state = true;
    script.fate = once(100, Fate::cut_in_half);
    const Ran ran = run(script, "runs", true, {"reconnect.last_event_id=" + std::string(last_id)});
    INFO(last_id);
    CHECK(ran.verdict.exit_status == 0);
    CHECK(ran.outcome.integrity.lost == 0);
    CHECK(ran.outcome.integrity.duplicate == 0);
    CHECK(ran.outcome.resume.resumed == 2);
    CHECK(ran.outcome.resume.gaps_signalled == 2);
    CHECK(ran.outcome.resume.gaps_silent == 0);
    CHECK(ran.outcome.measured().expected <= 598);  // what the state skips is due to nobody
    CHECK(ran.outcome.measured().received == ran.outcome.measured().expected);
  }
}

TEST_CASE("engine: silence about an impossible id is a loss: exit 6", "[load][engine]") {
  for (const char* last_id : {"garbage", "future"}) {
    Script script;
    script.sends_state = true;
    script.tells_gap = false;
    script.fate = once(100, Fate::cut_in_half);
    const Ran ran = run(script, "runs", true, {"reconnect.last_event_id=" + std::string(last_id)});
    INFO(last_id);
    CHECK(ran.verdict.exit_status == 6);
    CHECK(ran.outcome.integrity.lost >= 2);
    CHECK(ran.outcome.resume.gaps_silent == 2);
    CHECK(ran.outcome.measured().expected == 600);
  }
}

TEST_CASE("engine: what a stale id asks for again is neither double nor a delivery",
          "[load][engine]") {
  Script script;
  script.sends_state = true;
  script.fate = once(100, Fate::cut_in_half);
  const Ran ran = run(script, "runs", true, {R"(reconnect.last_event_id={"stale": {"by": 30}})"});
  CHECK(ran.verdict.exit_status == 0);
  CHECK(ran.outcome.integrity.lost == 0);
  CHECK(ran.outcome.integrity.duplicate == 0);
  CHECK(ran.outcome.integrity.reorder == 0);
  CHECK(ran.outcome.integrity.repeated >= 10);  // 30 events of 3 topics, for two subscribers
  CHECK(ran.outcome.integrity.repeated <= 30);
  CHECK(ran.outcome.resume.gaps_silent == 0);
  CHECK(ran.outcome.measured().received == 600);
}

TEST_CASE("engine: a server that ignores Last-Event-ID leaves a silent gap: exit 6",
          "[load][engine]") {
  Script script;
  script.fate = once(100, Fate::cut_in_half);
  script.resumes = false;
  const Ran ran = run(script);
  CHECK(ran.verdict.exit_status == 6);
  CHECK(ran.outcome.integrity.lost >= 2);
  CHECK(ran.outcome.resume.gaps_silent == 2);
}

TEST_CASE("engine: a fresh state after a loss is a gap that was signalled", "[load][engine]") {
  Script script;
  script.fate = once(100, Fate::cut_in_half);
  script.resumes = false;
  script.sends_state = true;
  const Ran ran = run(script, "runs");
  CHECK(ran.verdict.exit_status == 6);
  CHECK(ran.outcome.integrity.initial == 8);
  CHECK(ran.outcome.resume.gaps_signalled == 2);
  CHECK(ran.outcome.resume.gaps_silent == 0);
}

TEST_CASE("engine: streams without chunks, that begin with the state, pass", "[load][engine]") {
  Script script;
  script.head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n";
  script.chunked = false;
  script.sends_state = true;
  const Ran ran = run(script, "runs");
  CHECK(ran.verdict.exit_status == 0);
  CHECK(ran.outcome.integrity.initial == 6);
  CHECK(ran.outcome.measured().received == 600);
}

TEST_CASE("engine: a server that only sends heartbeats owes every event: exit 6",
          "[load][engine]") {
  Script script;
  script.fate = [](std::uint64_t) { return Fate::drop; };
  script.head += "d\r\n: keepalive\n\n\r\n";
  const Ran ran = run(script);
  CHECK(ran.verdict.exit_status == 6);
  CHECK(ran.outcome.integrity.comments == 6);
  CHECK(ran.outcome.integrity.lost == 600);
  CHECK(std::isinf(ran.outcome.measured().delivery.percentile_us(0.5, 600)));
}

TEST_CASE("engine: 200 with a page instead of a stream is the wrong type: exit 4",
          "[load][engine]") {
  Script script;
  script.head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n";
  script.body = "<ok>";
  const Ran ran = run(script);
  CHECK(ran.verdict.exit_status == 4);
  CHECK(ran.outcome.connections.held == 0);
  CHECK(ran.outcome.connections.failed_total() == 6);
}

TEST_CASE("engine: a refusal is final and exits 4", "[load][engine]") {
  Script script;
  script.head = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
  script.body = "x";
  const Ran ran = run(script);
  CHECK(ran.verdict.exit_status == 4);
  CHECK_THAT(ran.outcome.connections.first_failure, Catch::Contains("answered 404"));
}

TEST_CASE("engine: a target that is not there is an error before anything starts",
          "[load][engine]") {
  std::string url;
  {
    const ScriptedServer gone{Script{}};
    url = gone.url("/topics/{topic}/events");
  }
  const auto scenario = rt::parse_scenario(R"({"name": "gone", "extends": "preset:raw",
      "target": {"preset": "raw", "url": ")" + url +
                                               R"("}})",
                                           "test");
  REQUIRE(scenario);
  rt::EngineParts parts;
  parts.pause = [](std::chrono::milliseconds) { return 0; };
  const auto outcome = rt::run_scenario(*scenario, parts, rt::SystemClock());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == rt::Code::unreachable);
  CHECK_THAT(outcome.error().text, Catch::Contains("Connection refused"));
}

TEST_CASE("engine: a signal ends the run with a partial outcome", "[load][engine]") {
  ScriptedServer server{Script{}};
  rt::Scenario scenario = scenario_for(server, "topics");
  scenario.phases[1].hold = std::chrono::hours(1);
  ScriptedProducer producer(
      server, [&](std::uint32_t topic) { return scenario.subscriptions.topic_name(topic); });
  rt::EngineParts parts;
  parts.producer = &producer;
  parts.commits = &server;
  int ticks = 0;
  parts.pause = [&](std::chrono::milliseconds time) {
    ::poll(nullptr, 0, static_cast<int>(time.count()));
    return ++ticks == 20 ? 2 : 0;
  };
  const auto outcome = rt::run_scenario(scenario, parts, rt::SystemClock());
  REQUIRE(outcome);
  CHECK(outcome->partial());
  CHECK(outcome->connections.held == 6);
  CHECK(outcome->integrity.lost == 0);
  CHECK(rt::judge(scenario, *outcome).exit_status == 130);
}

TEST_CASE("engine: events of a topic that the stream did not ask for are no deliveries: exit 6",
          "[load][engine]") {
  const std::map<std::string, std::string> swaps = {{"run-0", "run-1"}, {"run-1", "run-0"}};
  Script mistaken;
  mistaken.brings = [&](const std::string& asked, const std::string& topic) {
    return asked == (swaps.count(topic) != 0 ? swaps.at(topic) : topic);
  };
  const Ran swapped = run(mistaken);
  CHECK(swapped.verdict.exit_status == 6);
  CHECK(swapped.outcome.integrity.unasked > 200);
  CHECK(swapped.outcome.integrity.lost == swapped.outcome.integrity.unasked);
  CHECK(swapped.outcome.integrity.foreign == swapped.outcome.integrity.unasked);
  Script chatty;
  chatty.brings = [](const std::string&, const std::string&) { return true; };
  const Ran all = run(chatty);
  CHECK(all.verdict.exit_status == 6);
  CHECK(all.outcome.integrity.lost == 0);
  CHECK(all.outcome.integrity.unasked == 1'200);  // 300 events, four strangers each
  CHECK_THAT(all.outcome.integrity.first_unasked, Catch::Contains("connection"));
}

TEST_CASE("engine: a state that is of another topic is none", "[load][engine]") {
  Script script;
  script.sends_state = true;
  script.state_of = "run-2";
  const Ran ran = run(script, "runs", true, {"phases.ramp.connections.rate=10/s"});
  CHECK(ran.verdict.exit_status == 0);  // before anything is published all states are alike
  const std::vector<std::string> late = {
      R"(phases=[{"name": "ramp", "connections": {"to": 3, "rate": "2k/s"}, "hold": "300ms"},
                 {"name": "more", "connections": {"to": 6, "rate": "2k/s"}},
                 {"name": "main", "hold": "300ms", "measure": true}, {"name": "drain", "hold": "2s"}])"};
  const Ran strange = run(script, "runs", true, late);
  CHECK(strange.verdict.exit_status == 6);
  CHECK(strange.outcome.integrity.unasked == 2);  // of the three who came late, two
}

TEST_CASE("engine: who joins late and hears nothing is deaf, and not content: exit 6",
          "[load][engine]") {
  const std::vector<std::string> late = {
      R"(phases=[{"name": "ramp", "connections": {"to": 3, "rate": "2k/s"}, "hold": "100ms"},
                 {"name": "more", "connections": {"to": 6, "rate": "2k/s"}},
                 {"name": "main", "hold": "1500ms", "measure": true}, {"name": "drain", "hold": "1s"}])"};
  Script script;
  const Ran heard = run(script, "topics", true, late);
  CHECK(heard.verdict.exit_status == 0);
  CHECK(heard.outcome.integrity.deaf == 0);
  script.clients_heard = 3 + 1;  // the first of them only looked whether the server is there
  const Ran deaf = run(script, "topics", true, late);
  CHECK(deaf.verdict.exit_status == 6);
  CHECK(deaf.outcome.integrity.deaf >= 2);
  CHECK(deaf.outcome.integrity.lost == 0);
  CHECK_THAT(deaf.outcome.integrity.first_deaf, Catch::StartsWith("topic run-"));
}

TEST_CASE("engine: who leaves while a retry waits comes back once", "[load][engine]") {
  const Ran ran = run(Script{}, "topics", true,
                      {R"(churn={"lifetime": {"dist": "uniform", "min": "50ms", "max": "300ms"}})",
                       R"(reconnect.policy={"base": "100ms", "max": "100ms", "jitter": 0.5})",
                       R"(reconnect.storms=[{"at": "main+100ms"}, {"at": "main+300ms"},
                                            {"at": "main+500ms"}, {"at": "main+700ms"}])",
                       "phases.main.hold=1s"});
  CHECK(ran.outcome.churn.left > 20);
  CHECK(ran.outcome.resume.resumed <= ran.outcome.resume.losses);
  CHECK(ran.outcome.connections.held <= 6);
  for (const rt::SecondSample& second : ran.outcome.series) CHECK(second.connections <= 6);
  CHECK(ran.outcome.integrity.duplicate == 0);
}

TEST_CASE("engine: a threshold that may end the run ends it, and the run fails for that alone",
          "[load][engine]") {
  const Ran ran = run(
      Script{}, "topics", true,
      {R"(thresholds=[{"expr": "delivery.p50 > 10s", "abort": true}])", "phases.main.hold=20s"});
  CHECK(ran.verdict.exit_status == 1);
  CHECK(ran.verdict.word == rt::VerdictWord::fail);
  CHECK(ran.outcome.partial());
  CHECK_THAT(ran.outcome.broken_claim, Catch::StartsWith("delivery.p50 > 10s: measured"));
  CHECK(ran.outcome.duration_s < 10);
  const rt::PhaseOutcome main = ran.outcome.measured();
  CHECK(main.skipped == 0);
  CHECK(main.offered < 600 * 5);
}

TEST_CASE("engine: a source address of another kind than the target's is refused at once",
          "[load][engine]") {
  ScriptedServer server(Script{});
  const rt::Scenario scenario = scenario_for(server, "topics", {R"(sources.addresses=["[::1]"])"});
  ScriptedProducer producer(server, [](std::uint32_t) { return "run-0"; });
  rt::EngineParts parts;
  parts.producer = &producer;
  parts.pause = [](std::chrono::milliseconds) { return 0; };
  const auto outcome = rt::run_scenario(scenario, parts, rt::SystemClock());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == rt::Code::usage);
  CHECK_THAT(outcome.error().text, Catch::Contains("[::1]"));
}
