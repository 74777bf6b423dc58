// A run divided among four processes, as it is among four machines, and put together again.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "integration/child_process.h"
#include "integration/private_postgres.h"
#include "integration/running_tool.h"
#include "integration/served.h"
#include "temp_folder.h"

namespace {

using nlohmann::json;
using rt::test::Outcome;
using rt::test::PrivatePostgres;
using rt::test::RunningTool;
using rt::test::ServedRuns;
using rt::test::TempFolder;

// 240 subscribers of 100 rows, 150 changes a second for two seconds; what depends on how busy this
// machine is decides nothing.
std::vector<std::string> run_words(const PrivatePostgres& postgres, const std::string& address,
                                   std::vector<std::string> more) {
  std::vector<std::string> words = {"rtbench",    "run",  "preset:runs",
                                    "--progress", "none", "--no-selftest"};
  for (const std::string& setting :
       {"target.url=http://" + address + "/v1/runs/stream", "target.pg=" + postgres.dsn(),
        std::string("subscriptions.topics.count=100"), std::string("load.connections=240"),
        std::string("publish.0.rate=150/s"), std::string("phases.warm.hold=300ms"),
        std::string("phases.main.hold=2s"), std::string("phases.drain.hold=5s"),
        std::string("thresholds=[{\"expr\": \"delivery.p95 < 5s\"}]"),
        std::string("gates.waive=[\"client_saturation\", \"open_loop\", \"warm_up\", "
                    "\"receive_queue\"]")}) {
    words.insert(words.end(), {"--set", setting});
  }
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

json report_at(const std::string& path) {
  std::ifstream file(path);
  INFO(path);
  REQUIRE(file.good());
  return json::parse(file);
}

}  // namespace

TEST_CASE("shards: four make the run that one makes, and merge gives the verdict", "[shards]") {
  const PrivatePostgres postgres;
  const ServedRuns server(postgres);
  const TempFolder folder;
  std::vector<std::unique_ptr<RunningTool>> shards;
  for (int i = 0; i < 4; ++i) {
    shards.push_back(std::make_unique<RunningTool>(
        run_words(postgres, server.served.address(),
                  {"--shard", std::to_string(i) + "/4", "--run-id", "r1", "--start-at", "+1s",
                   "--rendezvous", folder.path + "/meet", "--out", folder.path + "/parts"})));
  }
  for (auto& shard : shards) {
    const Outcome outcome = shard->finish();
    INFO(outcome.out << outcome.err);
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.out, Catch::StartsWith("PART "));
  }
  const std::string merged_path = folder.path + "/whole.json";
  const Outcome merged = rt::test::run(
      {"rtbench", "merge", folder.path + "/parts", "--report", "json=" + merged_path});
  INFO(merged.out << merged.err);
  CHECK(merged.status == 0);
  CHECK_THAT(merged.out, Catch::StartsWith("PASS"));

  const Outcome alone = rt::test::run(run_words(
      postgres, server.served.address(), {"--report", "json=" + folder.path + "/alone.json"}));
  INFO(alone.out << alone.err);
  CHECK(alone.status == 0);
  const json four = report_at(merged_path);
  const json one = report_at(folder.path + "/alone.json");
  CHECK(four.at("verdict") == "PASS");
  CHECK(four.at("part").at("have") == json({0, 1, 2, 3}));
  CHECK(four.at("scenario") == one.at("scenario"));
  CHECK(four.at("connect").at("held") == 240);
  CHECK(four.at("load").at("offered") == one.at("load").at("offered"));
  CHECK(four.at("delivery").at("expected") == one.at("delivery").at("expected"));
  CHECK(four.at("delivery").at("received") == four.at("delivery").at("expected"));
  CHECK(four.at("integrity").at("lost") == 0);
  CHECK(four.at("integrity").at("reorder") == 0);

  // Without one of them there is no verdict.
  std::filesystem::remove(folder.path + "/parts/r1.2.json");
  const Outcome missing = rt::test::run({"rtbench", "merge", folder.path + "/parts"});
  CHECK(missing.status == 7);
  CHECK(missing.err.find("shard 2 of 4 is missing") != std::string::npos);
}

TEST_CASE("shards: they meet at a URL of shard 0 as well as in a folder", "[shards]") {
  const PrivatePostgres postgres;
  const ServedRuns server(postgres);
  const TempFolder folder;
  const std::string url = fmt::format("http://127.0.0.1:{}", rt::test::free_port());
  std::vector<std::unique_ptr<RunningTool>> shards;
  for (const char* shard : {"1/3", "2/3", "0/3"}) {
    shards.push_back(std::make_unique<RunningTool>(
        run_words(postgres, server.served.address(),
                  {"--shard", shard, "--run-id", "r1", "--start-at", "+1s", "--rendezvous", url,
                   "--out", folder.path})));
  }
  for (auto& shard : shards) {
    const Outcome outcome = shard->finish();
    INFO(outcome.out << outcome.err);
    CHECK(outcome.status == 0);
  }
  const Outcome merged = rt::test::run({"rtbench", "merge", folder.path});
  INFO(merged.out << merged.err);
  CHECK(merged.status == 0);
  const auto start_of = [&](const char* file) {
    const std::string date = report_at(folder.path + file).at("start").get<std::string>();
    return rt::parse_rfc3339(date).value();
  };
  const rt::WallTime first = start_of("/r1.0.json");
  for (const char* other : {"/r1.1.json", "/r1.2.json"}) {
    CHECK(std::chrono::abs(start_of(other) - first) < std::chrono::milliseconds(500));
  }
}

TEST_CASE("shards: at a URL, too, all hear who is missing: exit 3", "[shards]") {
  const PrivatePostgres postgres;
  const ServedRuns server(postgres);
  const std::string url = fmt::format("http://127.0.0.1:{}", rt::test::free_port());
  const auto words = [&](const char* shard) {
    return run_words(postgres, server.served.address(),
                     {"--shard", shard, "--run-id", "r1", "--start-at", "+1s", "--rendezvous", url,
                      "--rendezvous-wait", "2s"});
  };
  RunningTool other(words("2/3"));
  const Outcome host = rt::test::run(words("0/3"));
  CHECK(host.status == 3);
  CHECK(host.err.find("shard 1 did not come to " + url) != std::string::npos);
  const Outcome heard = other.finish();
  CHECK(heard.status == 3);
  CHECK(heard.err.find("did not come to " + url) != std::string::npos);
}

TEST_CASE("shards: one that never comes ends the run of the others: exit 3", "[shards]") {
  const PrivatePostgres postgres;
  const ServedRuns server(postgres);
  const TempFolder folder;
  const Outcome alone =
      rt::test::run(run_words(postgres, server.served.address(),
                              {"--shard", "0/2", "--run-id", "r1", "--start-at", "+1s",
                               "--rendezvous", folder.path, "--rendezvous-wait", "500ms"}));
  CHECK(alone.status == 3);
  CHECK(alone.err.find("shard 1 did not come") != std::string::npos);
}

TEST_CASE("shards: a report is rendered again, and judged by what is asked then", "[shards]") {
  const PrivatePostgres postgres;
  const ServedRuns server(postgres);
  const TempFolder folder;
  const std::string path = folder.path + "/r.json";
  const Outcome ran =
      rt::test::run(run_words(postgres, server.served.address(), {"--report", "json=" + path}));
  REQUIRE(ran.status == 0);
  const Outcome again = rt::test::run({"rtbench", "report", path});
  CHECK(again.status == 0);
  CHECK(again.out == ran.out);
  const Outcome stricter =
      rt::test::run({"rtbench", "report", path, "--threshold", "connect.p50 < 1us", "--judge"});
  CHECK(stricter.status == 1);
  CHECK_THAT(stricter.out, Catch::StartsWith("FAIL"));
  const Outcome html = rt::test::run({"rtbench", "report", path, "--report", "html=-"});
  CHECK_THAT(html.out, Catch::StartsWith("<!DOCTYPE html>"));
  // A run is no slower than itself, which a wide margin can say of any interval.
  const Outcome same = rt::test::run({"rtbench", "compare", path, path, "--margin", "900%"});
  CHECK(same.status == 0);
  CHECK_THAT(same.out, Catch::StartsWith("PASS"));
}
