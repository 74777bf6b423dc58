// rtbench as a process against rtctl serve on a real PostgreSQL: what it claims, and what it
// refuses to claim.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "integration/bench_run.h"
#include "integration/dropping_relay.h"
#include "integration/private_postgres.h"
#include "integration/running_tool.h"
#include "integration/served.h"
#include "temp_folder.h"

namespace {

using nlohmann::json;
using rt::test::BenchRun;
using rt::test::DroppingRelay;
using rt::test::Outcome;
using rt::test::PrivatePostgres;
using rt::test::RunningTool;
using rt::test::ServedRuns;
using rt::test::take_report;

// A server on the database, and where it listens.
// 200 subscribers of 100 rows, 150 changes a second for two seconds. What depends on how busy this
// machine is does not decide the verdict here.
std::vector<std::string> bench_words(const PrivatePostgres& postgres, const std::string& address,
                                     const std::string& report) {
  return {"rtbench",
          "run",
          "preset:runs",
          "--progress",
          "plain",
          "--report",
          "json=" + report,
          "--set",
          "target.url=http://" + address + "/v1/runs/stream",
          "--set",
          "target.pg=" + postgres.dsn(),
          "--set",
          "subscriptions.topics.count=100",
          "--set",
          "load.connections=200",
          "--set",
          "publish.0.rate=150/s",
          "--set",
          "phases.warm.hold=200ms",
          "--set",
          "phases.main.hold=2s",
          "--set",
          "phases.drain.hold=5s",
          "--set",
          "thresholds=[{\"expr\": \"delivery.p95 < 5s\"}]",
          "--set",
          "gates.waive=[\"client_saturation\", \"open_loop\", \"warm_up\", \"receive_queue\"]"};
}

BenchRun bench(const PrivatePostgres& postgres, const std::string& address) {
  const rt::test::TempFolder folder;
  const std::string path = folder / "report.json";
  RunningTool tool(bench_words(postgres, address, path));
  return take_report(tool.finish(), path);
}

}  // namespace

TEST_CASE("bench: commit to client on a real database, every sum balanced, exits 0", "[bench]") {
  const PrivatePostgres postgres;
  const ServedRuns server(postgres);
  const BenchRun ran = bench(postgres, server.served.address());
  CHECK(ran.outcome.status == 0);
  CHECK_THAT(ran.outcome.out, Catch::StartsWith("PASS"));
  REQUIRE(ran.report.is_object());
  CHECK(ran.report.at("verdict") == "PASS");
  CHECK(ran.report.at("delivery").at("expected") == ran.report.at("delivery").at("received"));
  CHECK(ran.report.at("delivery").at("received").get<int>() > 400);
  CHECK(ran.report.at("selftest").at("p95").is_number());  // the floor, beside the result
  CHECK(ran.report.at("integrity").at("lost") == 0);
  CHECK(ran.report.at("integrity").at("duplicate") == 0);
  CHECK(ran.report.at("integrity").at("reorder") == 0);
}

TEST_CASE("bench: one event that a relay swallows is one lost delivery: exit 6", "[bench]") {
  const PrivatePostgres postgres;
  const ServedRuns server(postgres);
  const DroppingRelay relay(server.served.address(), 150);
  const BenchRun ran = bench(postgres, relay.address());
  CHECK(relay.has_dropped());
  CHECK(ran.outcome.status == 6);
  CHECK_THAT(ran.outcome.out, Catch::StartsWith("FAIL"));
  REQUIRE(ran.report.is_object());
  CHECK(ran.report.at("integrity").at("lost") == 1);
  CHECK(ran.report.at("integrity").at("duplicate") == 0);
  CHECK(ran.report.at("integrity").at("reorder") == 0);
}

TEST_CASE("bench: interrupted, it stops, writes a partial report and exits 130", "[bench]") {
  const PrivatePostgres postgres;
  const ServedRuns server(postgres);
  const rt::test::TempFolder folder;
  const std::string path = folder / "report.json";
  std::vector<std::string> words = bench_words(postgres, server.served.address(), path);
  for (const char* word : {"--set", "phases.main.hold=10m"}) words.push_back(word);
  RunningTool tool(words);
  REQUIRE(tool.wait_for("main"));  // the first plain line that shows the phase
  tool.signal(SIGINT);
  const Outcome outcome = tool.finish();
  CHECK(outcome.status == 130);
  std::ifstream file(path);
  const json report = json::parse(file, nullptr, false);
  REQUIRE(report.is_object());
  CHECK(report.at("partial") == true);
  CHECK(report.at("integrity").at("lost") == 0);
}

TEST_CASE("bench: what cannot begin is one line, a hint and the right status", "[bench]") {
  const PrivatePostgres postgres;
  const auto status_of = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"rtbench", "run", "preset:runs"};
    words.insert(words.end(), more.begin(), more.end());
    Outcome outcome = RunningTool(words).finish();
    INFO(outcome.err);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Catch::StartsWith("rtbench: "));
    return outcome.status;
  };
  CHECK(status_of({"--set", "target.ulr=x"}) == 2);
  CHECK(status_of({"--set", "target.pg=host=127.0.0.1 port=1"}) == 3);
  CHECK(status_of({"--set", "target.pg=" + postgres.dsn()}) == 4);  // no table yet
  postgres.exec(
      "CREATE TABLE task_run (id text PRIMARY KEY, env_id text, status text, tags text[], "
      "data jsonb, updated_at timestamptz)");
  CHECK(status_of({"--set", "target.pg=" + postgres.dsn()}) == 4);  // no publication
  postgres.exec("CREATE PUBLICATION p FOR TABLE task_run");
  CHECK(status_of({"--set", "target.pg=" + postgres.dsn(), "--set",
                   "target.url=http://127.0.0.1:1/v1/runs/stream"}) == 3);
}
