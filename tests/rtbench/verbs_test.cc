// The verbs that work on reports, as processes: what they print and how they exit.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "integration/running_tool.h"
#include "report/stored_sound.h"
#include "temp_folder.h"

using rt::test::Outcome;
using rt::test::run;
using rt::test::TempFolder;

namespace {

// A report whose latencies scatter around `typical_us`.
void write(const std::string& path, double typical_us, std::uint64_t seed,
           const std::function<void(rt::Outcome&)>& change = {}) {
  const rt::Scenario scenario = rt::testing::readable_scenario();
  rt::Outcome outcome = rt::testing::readable_outcome(scenario);
  rt::PhaseOutcome& main = outcome.phases[0];
  main.delivery = main.intended = {};
  rt::Random random(seed);
  for (int i = 0; i < 12'000; ++i) {
    const auto us = static_cast<std::int64_t>(typical_us * (1 + random.unit()));
    main.delivery.record(us);
    main.intended.record(us);
  }
  for (rt::SecondSample& second : outcome.series) second.delivery = {};
  if (change) change(outcome);
  std::ofstream(path) << rt::testing::json_of(scenario, outcome);
}

Outcome compared(const TempFolder& folder, const std::string& margin = "5%") {
  return run({"rtbench", "compare", folder / "base.json", folder / "new.json", "--margin", margin});
}

}  // namespace

TEST_CASE("rtbench compare: exits 0, 1 and 7 for no worse, worse and undecided", "[verbs]") {
  const TempFolder folder;
  write(folder / "base.json", 10'000, 1);
  write(folder / "new.json", 10'000, 2);
  const Outcome same = compared(folder);
  INFO(same.out << same.err);
  CHECK(same.status == 0);
  CHECK_THAT(same.out, Catch::StartsWith("PASS  no worse"));
  write(folder / "new.json", 15'000, 2);
  CHECK(compared(folder).status == 1);
  CHECK(compared(folder, "80%").status == 0);
  write(folder / "new.json", 10'500, 2);
  const Outcome close = compared(folder);
  CHECK(close.status == 7);
  CHECK_THAT(close.out, Catch::StartsWith("INVALID  undecided"));
}

TEST_CASE("rtbench compare: a run that cannot be believed decides nothing, a broken one is worse",
          "[verbs]") {
  const TempFolder folder;
  write(folder / "base.json", 10'000, 1);
  write(folder / "new.json", 5'000, 2, [](rt::Outcome& o) { o.clock.steps = 1; });
  const Outcome doubtful = compared(folder);
  CHECK(doubtful.status == 7);
  CHECK(doubtful.out.find("clock") != std::string::npos);
  write(folder / "new.json", 5'000, 2, [](rt::Outcome& o) {
    o.integrity.reorder = 3;
    o.integrity.first_reorder = "topic run-1";
  });
  CHECK(compared(folder).status == 1);
}

TEST_CASE("rtbench compare: other workloads, margins and files are refused: exit 2", "[verbs]") {
  const TempFolder folder;
  write(folder / "base.json", 10'000, 1);
  const rt::Scenario other =
      rt::parse_scenario(rt::find_preset("runs")->json, "preset:runs", {"seed=7"}).value();
  std::ofstream(folder / "new.json")
      << rt::testing::json_of(other, rt::testing::readable_outcome(other));
  const Outcome mixed = compared(folder);
  CHECK(mixed.status == 2);
  CHECK(mixed.err.find("different workloads") != std::string::npos);
  write(folder / "new.json", 10'000, 1);
  CHECK(compared(folder, "5").status == 2);
  CHECK(compared(folder, "-5%").status == 2);
  std::ofstream(folder / "new.json") << "{}";
  CHECK(compared(folder).status == 2);
}

TEST_CASE("rtbench merge: adds parts up, and gives no verdict while one is missing", "[verbs]") {
  const TempFolder folder;
  for (unsigned shard = 0; shard < 3; ++shard) {
    write(folder / ("r1." + std::to_string(shard) + ".json"), 10'000, shard, [&](rt::Outcome& o) {
      o.part = rt::RunPart{"r1", 3, {shard}};
    });
  }
  const std::string whole = std::string(RT_BINARY_DIR) + "/verbs-test-whole.json";
  const Outcome merged = run({"rtbench", "merge", folder.path, "--report", "json=" + whole});
  INFO(merged.out << merged.err);
  CHECK(merged.status == 0);
  CHECK_THAT(merged.out, Catch::StartsWith("PASS"));
  std::ifstream file(whole);
  const auto report = nlohmann::json::parse(file);
  CHECK(report.at("delivery").at("received") == 36'000);
  CHECK(report.at("connect").at("held") == 6'000);
  std::filesystem::remove(folder / "r1.1.json");
  const Outcome missing = run({"rtbench", "merge", folder.path});
  CHECK(missing.status == 7);
  CHECK_THAT(missing.out, Catch::StartsWith("PART 0,2 of 3"));
  write(folder / "r1.1.json", 10'000, 1, [](rt::Outcome& o) {
    o.part = rt::RunPart{"r2", 3, {1}};
  });
  CHECK(run({"rtbench", "merge", folder.path}).status == 2);
}

TEST_CASE("rtbench report: every kind, to files and to standard output", "[verbs]") {
  const TempFolder folder;
  write(folder / "r.json", 10'000, 1);
  const auto printed = [&](const std::string& kind) {
    const Outcome outcome = run({"rtbench", "report", folder / "r.json", "--report", kind + "=-"});
    CHECK(outcome.status == 0);
    return outcome.out;
  };
  CHECK_THAT(printed("text"), Catch::StartsWith("PASS"));
  CHECK_THAT(printed("html"), Catch::StartsWith("<!DOCTYPE html>"));
  CHECK_THAT(printed("junit"), Catch::StartsWith("<?xml"));
  CHECK_THAT(printed("md"), Catch::StartsWith("### PASS"));
  CHECK_THAT(printed("csv"), Catch::StartsWith("at_s,"));
  CHECK_THAT(printed("hlog"), Catch::StartsWith("#[rtbench"));
  CHECK_THAT(printed("prom"), Catch::StartsWith("# HELP rtbench_verdict"));
  CHECK(printed("json") == [&] {
    std::ifstream file(folder / "r.json");
    return std::string(std::istreambuf_iterator<char>(file), {});
  }());
  const Outcome unknown = run({"rtbench", "report", folder / "r.json", "--report", "pdf=x"});
  CHECK(unknown.status == 2);
  CHECK(unknown.err.find("html") != std::string::npos);
}

TEST_CASE("rtbench schema: both are JSON", "[verbs]") {
  for (const char* what : {"report", "scenario"}) {
    const Outcome outcome = run({"rtbench", "schema", what});
    CHECK(outcome.status == 0);
    CHECK(nlohmann::json::parse(outcome.out).at("$schema") ==
          "https://json-schema.org/draft/2020-12/schema");
  }
  CHECK(run({"rtbench", "schema", "other"}).status == 2);
}
