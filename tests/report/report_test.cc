// Golden tests: tests/report/golden holds what each report looks like. RT_UPDATE_GOLDEN=1 rewrites
// them.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "load/sound_outcome.h"
#include "report/html.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/markdown.h"
#include "report/prometheus.h"
#include "report/text.h"

using rt::judge;
using rt::Outcome;
using rt::Scenario;
using rt::testing::sound_outcome;
using rt::testing::sound_scenario;

namespace {

void matches_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(RT_SOURCE_DIR "/tests/report/golden/") + name;
  if (std::getenv("RT_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << text;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream expected;
  expected << file.rdbuf();
  INFO(name);
  REQUIRE(text == expected.str());
}

// A dead tenth of the subscribers, a late generator and a missed threshold.
Outcome bad_outcome() {
  Outcome outcome = sound_outcome();
  outcome.phases[0].expected += 1300;
  outcome.integrity.lost = 1300;
  outcome.integrity.first_lost = "topic run-17, event 4711, connection 212";
  outcome.clock.steps = 1;
  outcome.clock.largest_step_us = 40'000;
  outcome.target.sampled = false;
  outcome.target.same_host = true;
  outcome.notes = {"the run shared two cores with its target"};
  return outcome;
}

std::string text_of(const Scenario& scenario, const Outcome& outcome, bool colour = false) {
  return rt::text_report(scenario, outcome, judge(scenario, outcome), colour);
}

nlohmann::json json_of(const Outcome& outcome) {
  const Scenario scenario = sound_scenario();
  return nlohmann::json::parse(rt::json_report(scenario, outcome, judge(scenario, outcome)));
}

}  // namespace

TEST_CASE("text report: the verdict comes first and 25 lines are enough", "[report][text]") {
  const std::string pass = text_of(sound_scenario(), sound_outcome());
  const std::string bad = text_of(sound_scenario(), bad_outcome());
  matches_golden("pass.txt", pass);
  matches_golden("lost.txt", bad);
  REQUIRE(pass.starts_with("PASS  sound  2 000 streams  p95 21.0 ms < 300.0 ms"));
  REQUIRE(bad.starts_with("FAIL  sound"));
  Scenario many = sound_scenario();
  Outcome worst = bad_outcome();
  for (int i = 0; i < 20; ++i) {
    many.thresholds.push_back(rt::parse_threshold("delivery.p50 < 1ms").value());
    worst.notes.push_back("a note");
  }
  const std::string longest = text_of(many, worst);
  REQUIRE(std::count(longest.begin(), longest.end(), '\n') <= 25);
}

TEST_CASE("text and html report: a stage that the kernel did not stamp is unmeasured, not 0",
          "[report][text]") {
  Outcome outcome = sound_outcome();
  outcome.phases[0].receive_queue = {};
  outcome.phases[0].commit_to_wire = {};
  CHECK_THAT(text_of(sound_scenario(), outcome),
             Catch::Contains("stages    commit to wire unmeasured   wire to parse unmeasured"));
  const rt::Verdict verdict = judge(sound_scenario(), outcome);
  CHECK_THAT(rt::html_report(sound_scenario(), outcome, verdict),
             Catch::Contains("wire to parse</td><td class=\"n\" colspan=\"7\">unmeasured"));
}

TEST_CASE("every report: corrupt content is shown where it was looked for", "[report]") {
  const Scenario scenario = sound_scenario();
  Outcome outcome = sound_outcome();
  const auto reports = [&] {
    const rt::Verdict verdict = judge(scenario, outcome);
    return std::vector<std::string>{
        text_of(scenario, outcome), rt::markdown_report(scenario, outcome, verdict),
        rt::html_report(scenario, outcome, verdict), rt::junit_report(scenario, outcome, verdict),
        rt::prometheus_report(outcome, verdict)};
  };
  const std::vector<std::string> without = reports();
  CHECK(json_of(outcome).at("integrity").at("corrupt").is_null());
  outcome.integrity.corrupt = 7;
  outcome.integrity.first_corrupt = "topic run-3, event 12, connection 5";
  CHECK(json_of(outcome).at("integrity").at("corrupt") == 7);
  CHECK(json_of(outcome).at("integrity").at("first").at("corrupt") ==
        "topic run-3, event 12, connection 5");
  const std::vector<std::string> with = reports();
  const std::vector<std::string> says = {"corrupt 7", "corrupt 7", "<dt>Corrupt</dt><dd>7",
                                         "first: topic run-3", "kind=\"corrupt\"} 7"};
  for (std::size_t i = 0; i < says.size(); ++i) {
    INFO(with[i]);
    CHECK(with[i].find(says[i]) != std::string::npos);
    CHECK(without[i].find(says[i]) == std::string::npos);
  }
}

TEST_CASE("text report: colours only when asked", "[report][text]") {
  REQUIRE(text_of(sound_scenario(), sound_outcome()).find('\033') == std::string::npos);
  REQUIRE(text_of(sound_scenario(), sound_outcome(), true).find("\033[1;32mPASS\033[0m") == 0);
}

TEST_CASE("text report: a run that publishes nothing says that delivery was not measured",
          "[report][text]") {
  Scenario scenario = sound_scenario();
  scenario.thresholds.clear();
  Outcome outcome = sound_outcome();
  outcome.publishes = false;
  outcome.phases[0] = {};
  outcome.phases[0].name = "main";
  outcome.phases[0].measured = true;
  outcome.integrity = {};
  matches_golden("raw.txt", text_of(scenario, outcome));
}

TEST_CASE("json report: the fixed names are there", "[report][json]") {
  const nlohmann::json report = json_of(sound_outcome());
  REQUIRE(report.at("schema") == "rtbench.report/1");
  REQUIRE(report.at("verdict") == "PASS");
  REQUIRE(report.at("reasons").empty());
  const auto& delivery = report.at("delivery");
  REQUIRE(delivery.at("expected") == 12'000);
  REQUIRE(delivery.at("received") == 12'000);
  for (const char* name : {"p50", "p90", "p95", "p99", "p99_9", "max"}) {
    REQUIRE(delivery.at("percentiles").at(name).is_number());
  }
  REQUIRE(delivery.at("percentiles").at("p95").get<double>() == Approx(21.0).epsilon(0.002));
  REQUIRE(report.at("integrity").at("lost") == 0);
  REQUIRE(report.at("integrity").at("duplicate") == 0);
  REQUIRE(report.at("integrity").at("reorder") == 0);
  REQUIRE(report.at("load").at("offered") == 6000);
  REQUIRE(report.at("load").at("achieved") == 6000);
  REQUIRE(report.at("load").at("late").at("percentiles").at("p99").is_number());
  REQUIRE(report.at("client").at("bytes_per_connection") == 240);
  REQUIRE(report.at("target").at("bytes_per_connection") == 11'264);
  REQUIRE(report.at("gates").size() == rt::gate_names().size());
  REQUIRE(report.at("thresholds").at(0).at("state") == "pass");
  REQUIRE(report.at("env").at("kernel") == "6.1.0");
  REQUIRE(report.at("selftest").is_null());
  REQUIRE(report.at("scenario").at("seed") == 42);
}

TEST_CASE("json report: an infinite percentile is null and named, and reasons are listed",
          "[report][json]") {
  const nlohmann::json report = json_of(bad_outcome());
  REQUIRE(report.at("verdict") == "FAIL");
  REQUIRE(report.at("exit") == 6);
  REQUIRE(report.at("reasons").size() == 4);
  const auto& delivery = report.at("delivery");
  REQUIRE(delivery.at("percentiles").at("p95").is_null());
  REQUIRE(delivery.at("percentiles").at("p50").is_number());
  REQUIRE(delivery.at("infinite") == nlohmann::json({"p95", "p99", "p99_9", "max"}));
  REQUIRE(delivery.at("undelivered") == 1300);
  REQUIRE(report.at("target").at("bytes_per_connection").is_null());
  REQUIRE(report.at("integrity").at("first").at("lost") ==
          "topic run-17, event 4711, connection 212");
}

TEST_CASE("json report: the whole of it", "[report][json]") {
  const Scenario scenario = sound_scenario();
  Outcome outcome = sound_outcome();
  rt::PhaseOutcome& main = outcome.phases[0];  // a short histogram keeps the golden file readable
  main = {};
  main.name = "main";
  main.measured = true;
  main.duration_s = 20;
  outcome.selftest =
      rt::Floor{.p50_us = 300, .p95_us = 600, .p99_us = 900, .events_per_s = 250'000};
  outcome.series.resize(1);
  for (std::int64_t us : {900, 1000, 1100}) {
    main.delivery.record(us);
    main.intended.record(us + 500);
  }
  main.expected = main.received = main.offered = main.sent = main.acknowledged = main.events = 3;
  matches_golden("whole.json", rt::json_report(scenario, outcome, judge(scenario, outcome)));
}

TEST_CASE("json report: is written whole or not at all", "[report][json]") {
  const std::filesystem::path folder =
      std::filesystem::path(RT_BINARY_DIR) / "report-test" / "deep";
  std::filesystem::remove_all(folder.parent_path());
  const std::string path = (folder / "r.json").string();
  REQUIRE(rt::write_report(path, "{}\n").has_value());
  REQUIRE(std::filesystem::file_size(path) == 3);
  REQUIRE_FALSE(std::filesystem::exists(path + ".part"));
  const auto refused = rt::write_report("/proc/nowhere/r.json", "{}\n");
  REQUIRE_FALSE(refused.has_value());
  REQUIRE(refused.error().text.find("cannot write report /proc/nowhere/r.json") == 0);
}

TEST_CASE("junit report: fail is a failure, invalid an error", "[report][junit]") {
  const Scenario scenario = sound_scenario();
  const Outcome outcome = bad_outcome();
  const std::string text = rt::junit_report(scenario, outcome, judge(scenario, outcome));
  matches_golden("lost.xml", text);
  REQUIRE(text.find("name=\"delivery.p95 &lt; 300ms\"") != std::string::npos);
  REQUIRE(text.find("failures=\"4\" errors=\"1\"") != std::string::npos);
}
