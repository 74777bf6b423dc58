// What "publish" of a scenario may say, and what it may not.
#include <catch2/catch.hpp>

#include "load/scenario.h"

using Catch::Matchers::Contains;
using rt::parse_scenario;

namespace {

// One entry of publish over a preset.
std::string with(const std::string& preset, const std::string& entries) {
  return R"({"name": "x", "extends": "preset:)" + preset + R"(", "publish": [)" + entries + "]}";
}

rt::PublishSpec read(const std::string& preset, const std::string& entries) {
  const auto scenario = parse_scenario(with(preset, entries), "x.json");
  INFO((scenario ? std::string() : scenario.error().text));
  REQUIRE(scenario);
  return scenario->publish.front();
}

std::string error_of(const std::string& preset, const std::string& entries) {
  const auto scenario = parse_scenario(with(preset, entries), "x.json");
  return scenario ? "accepted" : scenario.error().text;
}

}  // namespace

TEST_CASE("scenario publish: new rows come in batches, to runs only", "[load][scenario]") {
  const auto spec = read("runs", R"({"id": "a", "rate": 5, "producer":
      {"type": "pg-insert", "table": "app.run", "batch": 10, "connections": 3}})");
  CHECK(spec.producer == rt::ProducerKind::pg_insert);
  CHECK(spec.table == "app.run");
  CHECK(spec.batch == 10);
  CHECK(spec.connections == 3);
  CHECK_THAT(error_of("jobs", R"({"id": "a", "rate": 5, "producer": {"type": "pg-insert"}})"),
             Contains("preset jobs needs a producer of type pg-job"));
  CHECK_THAT(error_of("runs", R"({"id": "a", "rate": 5, "producer": {"type": "pg-insert"}},
                                 {"id": "b", "rate": 5, "producer": {"type": "pg-update"}})"),
             Contains("one scenario does either"));
}

TEST_CASE("scenario publish: a setting of another kind of producer is refused",
          "[load][scenario]") {
  const auto producer = [](const std::string& text) {
    return R"({"id": "a", "rate": 5, "producer": )" + text + "}";
  };
  CHECK_THAT(error_of("runs", producer(R"({"type": "pg-update", "batch": 2})")),
             Contains("/publish/0/producer/batch: a producer of type pg-update has no \"batch\""));
  CHECK_THAT(error_of("topics", producer(R"({"type": "http-post", "table": "t"})")),
             Contains("has no \"table\""));
  CHECK_THAT(error_of("topics", producer(R"({"type": "pg-notify", "url": "http://x"})")),
             Contains("has no \"url\""));
  CHECK_THAT(error_of("jobs", producer(R"({"type": "pg-job", "body": "{payload}"})")),
             Contains("has no \"body\""));
}

TEST_CASE("scenario publish: a payload's template is JSON, or the error says what it becomes",
          "[load][scenario]") {
  const auto payload = [](const std::string& text) {
    return R"({"id": "a", "rate": 5, "producer": {"type": "pg-update"}, "payload": )" + text + "}";
  };
  const auto spec = read("runs", payload(R"({"entropy": 0.7, "template":
      "{\"run\":\"{topic}\",\"seq\":{seq},\"t\":{intended_ns}}"})"));
  CHECK(spec.entropy == 0.7);
  std::string text;
  spec.value.append(text, "run-1", 2, 3);
  CHECK(text == R"({"run":"run-1","seq":2,"t":3})");
  CHECK_THAT(error_of("runs", payload(R"({"template": "{seq"})")),
             Contains("/publish/0/payload/template: expected a JSON value"));
  CHECK_THAT(error_of("runs", payload(R"({"entropy": 2})")), Contains("a number from 0 to 1"));
}

TEST_CASE("scenario: a phase lasts until latencies have settled, where there are some",
          "[load][scenario]") {
  const auto phases = [](const std::string& warm) {
    return R"({"name": "x", "extends": "preset:runs", "phases": [
        {"name": "ramp", "connections": {"to": 10}}, )" +
           warm + R"(, {"name": "main", "hold": "5s", "measure": true}]})";
  };
  const auto scenario =
      parse_scenario(phases(R"({"name": "warm", "hold": "5s", "until": "stationary"})"), "x.json");
  REQUIRE(scenario);
  CHECK(scenario->phases[1].until_stationary);
  CHECK(scenario->phases[1].longest_hold() == std::chrono::seconds(50));
  const auto error = [&](const std::string& warm) {
    const auto read = parse_scenario(phases(warm), "x.json");
    return read ? std::string("accepted") : read.error().text;
  };
  CHECK_THAT(error(R"({"name": "warm", "hold": "5s", "until": "calm"})"),
             Contains("did you mean") || Contains("known here: stationary"));
  CHECK_THAT(error(R"({"name": "warm", "hold": "5s", "max": "4s", "until": "stationary"})"),
             Contains("/phases/1/until: expected in a phase that warms up"));
  CHECK_THAT(error(R"({"name": "a", "hold": "5s", "until": "stationary", "measure": true})"),
             Contains("/phases/1/until: expected in a phase that warms up"));
  const auto late = parse_scenario(R"({"name": "x", "extends": "preset:runs", "phases": [
      {"name": "ramp", "connections": {"to": 10}}, {"name": "main", "hold": "5s", "measure": true},
      {"name": "end", "hold": "5s", "until": "stationary"}]})",
                                   "x.json");
  REQUIRE_FALSE(late);
  CHECK_THAT(late.error().text, Contains("/phases/2/until: nothing is published"));
}

TEST_CASE("scenario publish: events bear keys over HTTP only", "[load][scenario]") {
  const auto entry = [](const std::string& producer) {
    return R"({"id": "a", "rate": 5, "producer": )" + producer + "}";
  };
  CHECK(read("topics", entry(R"({"type": "http-post", "idempotency": true})")).idempotency);
  CHECK_FALSE(read("topics", entry(R"({"type": "http-post"})")).idempotency);
  CHECK_THAT(error_of("runs", entry(R"({"type": "pg-update", "idempotency": true})")),
             Contains("a producer of type pg-update has no \"idempotency\""));
}

TEST_CASE("scenario publish: each entry needs a topic, and a realtime topic a name without a comma",
          "[load][scenario]") {
  const auto error_with = [](const std::string& preset, const std::string& topics) {
    const auto scenario = parse_scenario(
        R"({"name": "x", "extends": "preset:)" + preset + R"(", "subscriptions": {"topics": )" +
            topics + R"(}, "publish": [{"id": "a", "rate": 5, "producer": {"type": "http-post"}},
                                       {"id": "b", "rate": 5, "producer": {"type": "http-post"}}]})",
        "x.json");
    return scenario ? "accepted" : scenario.error().text;
  };
  CHECK_THAT(error_with("topics", R"({"count": 1})"),
             Contains("/publish: 2 entries share out 1 topic: give"));
  CHECK(error_with("topics", R"({"count": 2})") == "accepted");
  CHECK(error_with("topics", R"({"count": 2, "name": "a,{n}"})") == "accepted");
  CHECK_THAT(error_with("realtime", R"({"count": 2, "name": "a,{n}"})"),
             Contains("with a comma cannot be asked for"));
}
