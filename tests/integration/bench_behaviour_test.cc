// What subscribers do and what goes wrong, against rtctl serve on a real PostgreSQL: a sound server
// loses and doubles nothing, whatever happens on the way to it.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "integration/bench_run.h"
#include "integration/private_postgres.h"
#include "integration/running_tool.h"
#include "integration/served.h"

namespace {

using nlohmann::json;
using rt::test::add_settings;
using rt::test::BenchRun;
using rt::test::PrivatePostgres;
using rt::test::RunningTool;
using rt::test::ServedRuns;
using rt::test::take_report;
using Words = std::vector<std::string>;

struct Bench : BenchRun {
  std::uint64_t of(const char* section, const char* what) const {
    return report.at(section).at(what);
  }
};

// 200 subscribers of 100 rows, 150 changes a second for three seconds.
Bench bench(const PrivatePostgres& postgres, const ServedRuns& server, const Words& overrides) {
  const std::string path = std::filesystem::temp_directory_path() /
                           ("rtbench-behaviour-" + std::to_string(::getpid()) + ".json");
  Words words = {"rtbench",    "run",  "preset:runs", "--no-selftest",
                 "--progress", "none", "--report",    "json=" + path};
  const Words all = {
      "target.url=" + server.origin(),
      "target.pg=" + postgres.dsn(),
      "subscriptions.topics.count=100",
      "load.rate=150/s",
      R"(phases=[{"name": "ramp", "connections": {"to": 200}}, {"name": "warm", "hold": "200ms"},
                 {"name": "main", "hold": "3s", "measure": true},
                 {"name": "drain", "hold": "6s"}])",
      R"(reconnect.policy={"base": "100ms", "max": "300ms"})",
      R"(thresholds=[{"expr": "delivery.p95 < 5s"}])",
      R"(gates.waive=["client_saturation", "open_loop", "warm_up", "receive_queue"])",
  };
  add_settings(words, all);
  add_settings(words, overrides);
  return {take_report(RunningTool(words).finish(), path)};
}

void check_nothing_lost(const Bench& ran) {
  CHECK(ran.outcome.status == 0);
  REQUIRE(ran.report.is_object());
  CHECK(ran.of("integrity", "lost") == 0);
  CHECK(ran.of("integrity", "duplicate") == 0);
  CHECK(ran.of("integrity", "reorder") == 0);
  CHECK(ran.of("delivery", "expected") == ran.of("delivery", "received"));
}

}  // namespace

TEST_CASE("bench behaviour: subscribers that come and go are owed what fell into their lives",
          "[bench_behaviour]") {
  const PrivatePostgres postgres;
  const ServedRuns server(postgres);
  const Bench ran = bench(postgres, server,
                          {R"(churn={"lifetime": {"dist": "exp", "mean": "1s"}})",
                           R"(thresholds=[{"expr": "connect.p95 < 2s"}])"});
  check_nothing_lost(ran);
  CHECK(ran.of("churn", "left") > 300);
  CHECK(ran.of("churn", "left") == ran.of("churn", "replaced"));
  CHECK(ran.of("resume", "losses") == 0);  // who leaves does not resume
}

TEST_CASE(
    "bench behaviour: half of the connections lost in a storm resume without a gap, and what "
    "is replayed is no live delivery",
    "[bench_behaviour]") {
  const PrivatePostgres postgres;
  const ServedRuns server(postgres);
  for (const char* how : {"rst", "fin", "silent"}) {
    const Bench ran =
        bench(postgres, server,
              {std::string(R"(reconnect.storms=[{"at": "main+1s", "share": 0.5, "how": ")") + how +
                   R"(", "within": "300ms"}])",
               R"(thresholds=[{"expr": "resume.p95 < 3s"}])"});
    INFO(how);
    check_nothing_lost(ran);
    CHECK(ran.of("resume", "storm_losses") > 60);
    CHECK(ran.of("resume", "storm_losses") < 140);
    CHECK(ran.of("resume", "resumed") == ran.of("resume", "storm_losses"));
    CHECK(ran.of("resume", "gaps_silent") == 0);
    CHECK(ran.of("resume", "replayed") == ran.report.at("resume").at("replay").at("count"));
  }
}

TEST_CASE("bench behaviour: slow and stalled readers are told apart and the healthy judged without",
          "[bench_behaviour]") {
  const PrivatePostgres postgres;
  const ServedRuns server(postgres);
  const Bench ran = bench(
      postgres, server,
      {R"(cohorts=[{"name": "slow", "share": 0.2, "read": {"bytes_per_s": "100B", "rcvbuf": "2KiB"}},
                   {"name": "stall", "share": 0.1, "read": {"stop_after": "200ms", "for": "1m"}},
                   {"name": "mobile", "share": 0.2, "link": {"rtt": "200ms", "jitter": "50ms"},
                    "background": {"off": "500ms", "every": "1500ms"}}])",
       R"(thresholds=[{"expr": "cohort.healthy.delivery.p95 < 5s"},
                      {"expr": "cohort.mobile.delivery.p50 > 60ms"}])"});
  check_nothing_lost(ran);
  const json& cohorts = ran.report.at("cohorts");
  CHECK(cohorts.at("slow").at("judged") == false);
  CHECK(cohorts.at("stall").at("delivery").at("undelivered").get<int>() > 0);
  CHECK(cohorts.at("mobile").at("judged") == true);
  CHECK(cohorts.at("mobile").at("delivery").at("undelivered") == 0);
  CHECK(cohorts.at("mobile").at("delivery").at("replayed").get<int>() > 0);
  CHECK(ran.of("resume", "losses") > 20);
}

TEST_CASE(
    "bench behaviour: resets, cut events, delays and black holes lose nothing; what the proxy "
    "doubles is found",
    "[bench_behaviour]") {
  const PrivatePostgres postgres;
  const ServedRuns server(postgres);
  const Bench ran =
      bench(postgres, server, {R"(faults=[{"at": "main+200ms", "on": {"share": 0.3}, "do": "reset"},
                  {"at": "main+600ms", "on": {"share": 0.3}, "do": "truncate", "mid_event": true},
                  {"at": "main+1s", "for": "300ms", "on": {"share": 0.3}, "do": "blackhole"},
                  {"at": "main+1500ms", "for": "300ms", "do": "latency", "ms": 60, "jitter": 30},
                  {"at": "main+2s", "for": "500ms", "do": "buffer", "bytes": "2KiB"}])"});
  check_nothing_lost(ran);
  CHECK(ran.of("resume", "resumed") > 60);
  const Bench doubled =
      bench(postgres, server, {R"(faults=[{"at": "main", "for": "1s", "do": "duplicate"}])"});
  CHECK(doubled.outcome.status == 6);
  CHECK(doubled.of("integrity", "duplicate") > 100);
  CHECK(doubled.of("integrity", "lost") == 0);
}
