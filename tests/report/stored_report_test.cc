// The JSON report as a file to keep: it follows its schema, and it can be read back.
#include "report/stored_report.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "report/stored_sound.h"
#include "report/text.h"
#include "report/texts.h"

using rt::Outcome;
using rt::Scenario;
using rt::testing::json_of;
using rt::testing::readable_outcome;
using rt::testing::readable_scenario;

namespace {

// Empty when the document follows the schema, else what the validator said.
std::string schema_error(std::string_view schema, const std::string& document) {
  const std::string folder = std::string(RT_BINARY_DIR) + "/schema-test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/schema.json") << schema;
  std::ofstream(folder + "/document.json") << document;
  const std::string command =
      "/usr/bin/python3 '" RT_SOURCE_DIR "/tests/report/check_schema.py' '" + folder +
      "/schema.json' '" + folder + "/document.json' 2>'" + folder + "/error'";
  if (std::system(command.c_str()) == 0) return {};
  std::ifstream error(folder + "/error");
  return "schema: " + std::string(std::istreambuf_iterator<char>(error), {});
}

// Lost deliveries, failures, resumes, a floor, an early end: every part of the format in use.
Outcome full_outcome(const Scenario& scenario) {
  Outcome outcome = readable_outcome(scenario);
  outcome.phases[0].expected += 1'300;
  outcome.integrity.lost = 1'300;
  outcome.integrity.first_lost = "topic run-17, event 4711, connection 212";
  outcome.connections.held -= 3;
  outcome.connections.dropped = 1;
  outcome.connections.count(rt::ConnectFailure::refused);
  outcome.connections.count(rt::ConnectFailure::ports);
  outcome.connections.first_failure = "127.0.0.1:8080: Connection refused";
  outcome.resume.attempts = 40;
  outcome.resume.resumed = 39;
  outcome.resume.latency.record(212'000);
  outcome.tls.record(1'900);
  outcome.integrity.repeated = 50;
  outcome.worst = {{"worst_conn", "main", 300'000, 252'268, 299'999, false, "connection 3"},
                   {"worst_topic", "", 1'000'000, 0, 0, true, "topic run-1"}};
  outcome.selftest =
      rt::Floor{.p50_us = 300, .p95_us = 600, .p99_us = 900, .events_per_s = 250'000};
  outcome.part = rt::RunPart{"r1", 4, {0, 1, 2, 3}};
  outcome.aborted = "no \"reason\"\n";
  outcome.clock.error_us = 12.5;
  outcome.clock.steps = 1;
  outcome.clock.largest_step_us = 40'000;
  outcome.notes = {"the run shared two cores with its target"};
  outcome.phases[0].delivery.record(-3);
  outcome.phases[0].delivery.record(4'000'000'000);
  return outcome;
}

Outcome reread(const Scenario& scenario, const Outcome& outcome) {
  auto read = rt::parse_stored_report(json_of(scenario, outcome), "r.json");
  INFO((read ? "" : read.error().text));
  REQUIRE(read.has_value());
  return std::move(read->outcome);
}

}  // namespace

TEST_CASE("report schema: reports of all verdicts follow it", "[report][schema]") {
  const Scenario scenario = readable_scenario();
  REQUIRE(schema_error(rt::kReportSchemaText, json_of(scenario, readable_outcome())).empty());
  REQUIRE(schema_error(rt::kReportSchemaText, json_of(scenario, full_outcome(scenario))).empty());
  Outcome part = readable_outcome();
  part.part = rt::RunPart{"r1", 4, {2}};
  REQUIRE(schema_error(rt::kReportSchemaText, json_of(scenario, part)).empty());
  Outcome nothing;  // a run that ended before anything happened
  nothing.phases.resize(1);
  REQUIRE(schema_error(rt::kReportSchemaText, json_of(scenario, nothing)).empty());
}

TEST_CASE("report schema: a wrong report is refused", "[report][schema]") {
  auto report = nlohmann::json::parse(json_of(readable_scenario(), readable_outcome()));
  report["verdict"] = "MAYBE";
  REQUIRE(schema_error(rt::kReportSchemaText, report.dump()).find("MAYBE") != std::string::npos);
  report["verdict"] = "PASS";
  report["delivery"].erase("expected");
  REQUIRE(schema_error(rt::kReportSchemaText, report.dump()).find("expected") != std::string::npos);
}

TEST_CASE("scenario schema: every preset and every shipped scenario follows it",
          "[report][schema]") {
  for (const rt::PresetText& preset : rt::presets()) {
    const Scenario scenario = rt::parse_scenario(preset.json, "preset").value();
    INFO(preset.name);
    REQUIRE(schema_error(rt::kScenarioSchemaText, scenario.expanded).empty());
  }
  for (const auto& file : std::filesystem::directory_iterator(RT_SOURCE_DIR "/scenarios")) {
    if (file.path().extension() != ".json") continue;
    const auto scenario = rt::read_scenario(file.path().string());
    INFO(file.path());
    REQUIRE(scenario.has_value());
    REQUIRE(schema_error(rt::kScenarioSchemaText, scenario->expanded).empty());
  }
  REQUIRE_FALSE(schema_error(rt::kScenarioSchemaText, R"({"name": "x", "phasez": []})").empty());
}

TEST_CASE("stored report: what was written is read back, and judged the same", "[report][stored]") {
  const Scenario scenario = readable_scenario();
  for (const Outcome& outcome : {readable_outcome(), full_outcome(scenario)}) {
    const Outcome again = reread(scenario, outcome);
    REQUIRE(json_of(scenario, again) == json_of(scenario, outcome));
    REQUIRE(rt::text_report(scenario, again, judge(scenario, again), false) ==
            rt::text_report(scenario, outcome, judge(scenario, outcome), false));
    REQUIRE(again.phases[0].delivery == outcome.phases[0].delivery);
    REQUIRE(again.resume.latency == outcome.resume.latency);
    REQUIRE(again.connections.failed == outcome.connections.failed);
  }
}

TEST_CASE("stored report: what is wrong is named with its place", "[report][stored]") {
  const auto refused = [](const std::string& text) {
    const auto read = rt::parse_stored_report(text, "r.json");
    REQUIRE_FALSE(read.has_value());
    REQUIRE(read.error().code == rt::Code::usage);
    return read.error().text;
  };
  const std::string good = json_of(readable_scenario(), readable_outcome());
  const auto changed = [&](auto change) {
    auto report = nlohmann::ordered_json::parse(good);
    change(report);
    return refused(report.dump());
  };
  REQUIRE(refused("[]") == "cannot read report r.json: it is not a JSON object");
  REQUIRE(refused("{\"schema\": \"rtbench.report/9\"}").find("expected schema") !=
          std::string::npos);
  REQUIRE(changed([](auto& r) { r["integrity"].erase("lost"); }) ==
          "cannot read report r.json: /integrity/lost is missing");
  REQUIRE(changed([](auto& r) { r["phases"][0]["name"] = 7; }) ==
          "cannot read report r.json: /phases/0/name has the wrong type");
  REQUIRE(changed([](auto& r) {
            r["phases"][0]["delivery"]["hist"]["counts"] = "HISTFAAA";
          }).find("/phases/0/delivery/hist") != std::string::npos);
  REQUIRE(changed([](auto& r) {
            r["part"] = {{"shards", "many"}};
          }).find("r.json") != std::string::npos);
  const auto part = [&](unsigned shards, const std::vector<unsigned>& have) {
    return changed([&](auto& r) {
      r["part"] = {{"run_id", "r1"}, {"shards", shards}, {"have", have}};
    });
  };
  REQUIRE(part(4, {0, 4}) == "cannot read report r.json: /part is no part of a run");
  REQUIRE(part(4, {1, 0}) == part(4, {1, 1}));
  REQUIRE(part(4'000'000'000, {0}) == part(4, {}));
  REQUIRE(changed([](auto& r) { r["scenario"]["expanded"]["seed"] = 43; }).find("digest") !=
          std::string::npos);
}

TEST_CASE("stored report: a report of before there were stages and worst cases can still be read",
          "[report][stored]") {
  const Scenario scenario = readable_scenario();
  nlohmann::json root = nlohmann::json::parse(json_of(scenario, readable_outcome(scenario)));
  root.erase("worst");
  root["connect"].erase("tls");
  root["integrity"].erase("repeated");
  for (nlohmann::json& phase : root["phases"]) phase.erase("commit_to_wire");
  const auto stored = rt::parse_stored_report(root.dump(), "old.json");
  if (!stored) FAIL(stored.error().text);
  CHECK(stored->outcome.worst.empty());
  CHECK(stored->outcome.phases[0].commit_to_wire.empty());
  CHECK(stored->outcome.phases[0].receive_queue.count() == 12'000);
}
