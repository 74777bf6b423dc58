// What a scenario may say about the run as a whole, and what becomes of it.
#include <catch2/catch.hpp>

#include "load/gates.h"
#include "load/sound_outcome.h"

using Catch::Matchers::Contains;
using rt::GateVerdict;
using rt::parse_scenario;
using rt::testing::sound_outcome;
using rt::testing::sound_scenario;

namespace {

rt::Result<rt::Scenario> with(const std::string& sections) {
  return parse_scenario(R"({"name": "x", "extends": "preset:runs", )" + sections + "}", "x.json");
}

std::string error_of(const std::string& sections) {
  const auto read = with(sections);
  return read ? "accepted" : read.error().text;
}

rt::GateResult gate(const std::string& name, const rt::Scenario& scenario,
                    const rt::Outcome& outcome) {
  for (const rt::GateResult& result : rt::judge_gates(scenario, outcome)) {
    if (result.name == name) return result;
  }
  FAIL("no gate " << name);
  return {};
}

}  // namespace

TEST_CASE("scenario: sources are addresses of this machine and a number of shards",
          "[load][scenario]") {
  const auto read = with(R"("sources": {"addresses": ["127.0.1.7", "127.0.1.8"], "shards": 3})");
  REQUIRE(read);
  CHECK(read->sources.addresses == std::vector<std::string>{"127.0.1.7", "127.0.1.8"});
  CHECK(read->sources.shards == 3);
  const auto automatic = with(R"("sources": {"addresses": "auto", "shards": "auto"})");
  REQUIRE(automatic);
  CHECK(automatic->sources.addresses.empty());
  CHECK(automatic->sources.shards == 0);
  CHECK_THAT(error_of(R"("sources": {"addresses": ["localhost"]})"),
             Contains("/sources/addresses: expected an address of this machine"));
}

TEST_CASE("scenario: a range of ports has two ends, in order, none of them below 1024",
          "[load][scenario]") {
  const auto read = with(R"("sources": {"ports": "40000-40999"})");
  REQUIRE(read);
  CHECK(read->sources.ports.first == 40'000);
  CHECK(read->sources.ports.last == 40'999);
  CHECK_FALSE(with(R"("sources": {"ports": "auto"})")->sources.ports.is_set());
  for (const char* ports : {"\"40000\"", "\"80-1024\"", "\"50000-40000\"", "\"1024-65536\"",
                            "\"1024-2000-3000\"", "\"a-b\"", "\"\""}) {
    CHECK_THAT(error_of(R"("sources": {"ports": )" + std::string(ports) + "}"),
               Contains("/sources/ports: expected a range of ports from 1024 to 65535") &&
                   Contains(std::string("found ") + ports));
  }
  CHECK_THAT(error_of(R"("sources": {"ports": 1024})"),
             Contains("/sources/ports: expected a string"));
}

TEST_CASE("scenario: what can only be said one way may be said", "[load][scenario]") {
  CHECK(error_of(R"("sources": {"threads": "auto"})") == "accepted");
  CHECK_THAT(error_of(R"("sources": {"threads": 2})"),
             Contains("/sources/threads: expected \"auto\": each shard is a thread"));
  CHECK(error_of(R"("target": {"request": {"method": "GET"}})") == "accepted");
  CHECK_THAT(error_of(R"("target": {"request": {"method": "POST"}})"),
             Contains("/target/request/method"));
}

TEST_CASE("scenario: what is refused says why", "[load][scenario]") {
  const auto refused = [](const std::string& sections, const char* why) {
    CHECK_THAT(error_of(sections),
               Contains("known but not supported yet by this version") && Contains(why));
  };
  refused(R"("integrity": {"order": "global"})", "no order between them");
  refused(R"("clock": {"mode": "ptp"})", "is measured");
  refused(R"("publish": [{"id": "a", "rate": 1, "on_late": "skip",
                          "producer": {"type": "pg-update"}}])",
          "sent all the same");
  CHECK_THAT(error_of(R"("report": {"series": "5s"})"), Contains("one entry a second"));
}

TEST_CASE("scenario: content is checked only if asked for, and where something is published",
          "[load][scenario]") {
  CHECK_FALSE(with(R"("seed": 1)")->integrity.content);
  CHECK_FALSE(with(R"("integrity": {"check": ["loss"]})")->integrity.content);
  const auto read = with(R"("integrity": {"check": ["loss", "content"]},
                            "thresholds": [{"expr": "integrity.corrupt == 0"}])");
  REQUIRE(read);
  CHECK(read->integrity.content);
  CHECK_FALSE(read->integrity.order);
  CHECK_THAT(error_of(R"("integrity": {"check": ["contents"]})"), Contains("did you mean"));
  CHECK_THAT(error_of(R"("thresholds": [{"expr": "integrity.corrupt == 0"}])"),
             Contains("names \"content\""));
  const auto raw = parse_scenario(
      R"({"name": "x", "extends": "preset:raw", "integrity": {"check": ["content"]}})", "x.json");
  REQUIRE_FALSE(raw);
  CHECK_THAT(raw.error().text, Contains("/integrity/check") && Contains("publishes nothing"));
}

TEST_CASE("integrity: corrupt content fails a run, and is the first that is named",
          "[load][gates]") {
  rt::Outcome outcome = sound_outcome();
  outcome.integrity.corrupt = 0;
  rt::Scenario scenario = sound_scenario();
  const rt::GateResult none = gate("integrity", scenario, outcome);
  CHECK(none.exit_status == 0);
  CHECK_THAT(none.measured, Contains("reorder 0, corrupt 0"));
  outcome.integrity.corrupt = 2;
  outcome.integrity.first_corrupt = "topic run-17, event 4711, connection 212";
  outcome.integrity.lost = 2;
  outcome.integrity.first_lost = "topic run-17, event 4712, connection 212";
  outcome.phases[0].expected += 2;
  const rt::GateResult some = gate("integrity", scenario, outcome);
  CHECK(some.exit_status == 6);
  CHECK(some.hint == "first: topic run-17, event 4711, connection 212");
  CHECK(gate("balance", scenario, outcome).verdict == GateVerdict::pass);
}

TEST_CASE("integrity: what the scenario does not judge is shown, and no failure", "[load][gates]") {
  rt::Outcome outcome = sound_outcome();
  outcome.integrity.duplicate = 3;
  outcome.integrity.reorder = 2;
  outcome.integrity.parsed += 3;
  rt::Scenario scenario = sound_scenario();
  CHECK(gate("integrity", scenario, outcome).exit_status == 6);
  scenario.integrity = with(R"("integrity": {"check": ["loss"]})")->integrity;
  const rt::GateResult result = gate("integrity", scenario, outcome);
  CHECK(result.verdict == GateVerdict::warn);
  CHECK(result.exit_status == 0);
  CHECK_THAT(result.measured, Contains("duplicate 3, reorder 2; not judged: duplicate, order"));
  outcome.integrity.lost = 1;
  CHECK(gate("integrity", scenario, outcome).exit_status == 6);
}

TEST_CASE("integrity: duplicates are allowed after a resume, and only there", "[load][gates]") {
  rt::Scenario scenario = sound_scenario();
  scenario.integrity = with(R"("integrity": {"allow": {"duplicate": "after-resume"}})")->integrity;
  rt::Outcome outcome = sound_outcome();
  outcome.integrity.duplicate = outcome.integrity.resent = 3;
  CHECK(gate("integrity", scenario, outcome).verdict == GateVerdict::pass);
  CHECK_THAT(gate("integrity", scenario, outcome).measured, Contains("3 sent again by a resume"));
  outcome.integrity.duplicate = 4;
  CHECK(gate("integrity", scenario, outcome).exit_status == 6);
}

TEST_CASE("integrity: a silent gap is a warning if no signal is expected", "[load][gates]") {
  rt::Scenario scenario = sound_scenario();
  rt::Outcome outcome = sound_outcome();
  outcome.resume.gaps_silent = 1;
  CHECK(gate("resume", scenario, outcome).exit_status == 6);
  scenario.integrity = with(R"("integrity": {"expect_gap_signal": false})")->integrity;
  CHECK(gate("resume", scenario, outcome).verdict == GateVerdict::warn);
}

TEST_CASE("realism: sizes that differ are no payloads of one size", "[load][gates]") {
  const auto unlike = [](const std::string& size) {
    const auto read = with(R"("publish": [{"id": "a", "rate": 1, "arrival": "poisson",
                               "producer": {"type": "pg-update"}, "size": )" +
                           size + "}]");
    REQUIRE(read);
    return gate("realism", *read, sound_outcome()).measured;
  };
  CHECK_THAT(unlike(R"("256B")"), Contains("payloads of one size"));
  CHECK_THAT(unlike(R"({"dist": "uniform", "min": "1B", "max": "9KiB"})"),
             !Contains("payloads of one size"));
}

TEST_CASE("clock: a database with a clock of its own is no same host", "[load][gates]") {
  rt::Scenario scenario = sound_scenario();
  rt::Outcome outcome = sound_outcome();
  outcome.clock.mode = "probe";
  CHECK(gate("clock", scenario, outcome).exit_status == 0);
  scenario.clock = with(R"("clock": {"mode": "same-host"})")->clock;
  CHECK(gate("clock", scenario, outcome).exit_status == 7);
  outcome.clock.mode = "same-host";
  CHECK(gate("clock", scenario, outcome).exit_status == 0);
}
