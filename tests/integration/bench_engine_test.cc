// What the load engine asks of a server and measures of it, against rtctl serve: stages, single
// connections and topics, tokens, and Last-Event-IDs that are not the truth.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "auth/signed_token.h"
#include "base/clock.h"
#include "integration/bench_run.h"
#include "integration/child_process.h"
#include "integration/private_postgres.h"
#include "integration/private_redis.h"
#include "integration/running_tool.h"
#include "integration/served.h"
#include "temp_folder.h"

namespace {

using nlohmann::json;
using rt::test::add_settings;
using rt::test::BenchRun;
using rt::test::PrivatePostgres;
using rt::test::PrivateRedis;
using rt::test::RunningTool;
using rt::test::Served;
using rt::test::ServedRuns;
using rt::test::take_report;
using rt::test::TempFolder;
using Words = std::vector<std::string>;

// 60 subscribers of 12 topics, 200 events in a second.
BenchRun bench(const std::string& preset, const Words& overrides) {
  const std::string path = std::filesystem::temp_directory_path() /
                           ("rtbench-engine-" + std::to_string(::getpid()) + ".json");
  Words words = {"rtbench",    "run",  "preset:" + preset, "--no-selftest",
                 "--progress", "none", "--report",         "json=" + path};
  const Words all = {
      "load.rate=200/s",
      "subscriptions.topics.count=12",
      R"(phases=[{"name": "ramp", "connections": {"to": 60}}, {"name": "warm", "hold": "200ms"},
                 {"name": "main", "hold": "1s", "measure": true},
                 {"name": "drain", "hold": "2s"}])",
      R"(reconnect.policy={"base": "100ms", "max": "200ms"})",
      R"(thresholds=[{"expr": "delivery.p95 < 5s"}])",
      R"(gates.waive=["client_saturation", "open_loop", "warm_up", "receive_queue"])",
  };
  add_settings(words, all);
  add_settings(words, overrides);
  return take_report(RunningTool(words).finish(), path);
}

void check_nothing_lost(const BenchRun& ran) {
  CHECK(ran.outcome.status == 0);
  REQUIRE(ran.report.is_object());
  CHECK(ran.report.at("integrity").at("lost") == 0);
  CHECK(ran.report.at("integrity").at("duplicate") == 0);
  CHECK(ran.report.at("integrity").at("reorder") == 0);
  CHECK(ran.report.at("delivery").at("expected") == ran.report.at("delivery").at("received"));
}

// The worst case that the threshold was judged by.
json worst_of(const BenchRun& ran, const std::string& metric) {
  for (const json& one : ran.report.at("worst")) {
    if (one.at("metric") == metric) return one;
  }
  FAIL("nothing was kept for " << metric);
  return {};
}

// A server of rows with a past, and what subscribers of it settle on.
struct Rows {
  // Half of the subscribers lose their connection in mid-run, and claim `last_id`.
  BenchRun bench_claiming(const std::string& last_id) const {
    return bench("runs",
                 {"target.url=" + served.origin(), "target.pg=" + postgres.dsn(),
                  "reconnect.last_event_id=" + last_id,
                  R"(reconnect.storms=[{"at": "main+400ms", "share": 0.5, "how": "rst"}])"});
  }
  PrivatePostgres postgres;
  ServedRuns served{postgres};
};

}  // namespace

TEST_CASE("bench engine: a delivery over TLS is split into its stages, and the worst are named",
          "[bench_engine]") {
  const PrivatePostgres postgres;
  const TempFolder folder;
  REQUIRE(rt::test::run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
  rt::test::run_openssl(folder.path,
                        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                        "-days 2 -keyout server.key -out server.pem -subj /CN=localhost "
                        "-addext subjectAltName=IP:127.0.0.1");
  const Served server({"--surfaces", "runs", "--pg", postgres.dsn(), "--tls-cert",
                       folder.path + "/server.pem", "--tls-key", folder.path + "/server.key"});
  REQUIRE(server.tool->wait_for("streaming from"));
  const std::string request =
      R"({"http": "2", "streams": 20, "ca": ")" + folder.path + "/server.pem\"}";
  const BenchRun ran =
      bench("runs", {"target.url=" + server.origin, "target.pg=" + postgres.dsn(),
                     "target.request=" + request,
                     R"(thresholds=[{"expr": "tls.p95 < 5s"}, {"expr": "commit_to_wire < 5s"},
                                    {"expr": "wire_to_parse.p99 < 5s"},
                                    {"expr": "worst_conn.p95 < 5s", "phase": "main"},
                                    {"expr": "worst_topic.p95 < 5s"}])"});
  check_nothing_lost(ran);
  const json& stages = ran.report.at("stages");
  const auto delivered = ran.report.at("delivery").at("received").get<double>();
  CHECK(stages.at("wire_to_parse").at("count").get<double>() >= 0.9 * delivered);
  CHECK(stages.at("commit_to_wire").at("count").get<double>() >= 0.9 * delivered);
  CHECK_THAT(worst_of(ran, "worst_conn").at("who").get<std::string>(),
             Catch::StartsWith("connection ") && Catch::Contains(", topic run-"));
  CHECK_THAT(worst_of(ran, "worst_topic").at("who").get<std::string>(),
             Catch::StartsWith("topic run-"));
  CHECK(ran.report.at("connect").at("tls").at("count") == 3);
}

TEST_CASE("bench engine: each connection bears the token that its number names", "[bench_engine]") {
  // The server takes a subscriber's scope from its token, so that a wrong one gets others' events.
  constexpr int kScopes = 5;
  const PrivateRedis redis;
  const TempFolder folder;
  const std::string secret = "a secret of more than thirty-two bytes";
  std::ofstream(folder.path + "/key") << secret;
  const auto until = rt::unix_us(rt::SystemClock().wall()) / 1'000'000 + 600;
  for (int scope = 0; scope < kScopes; ++scope) {
    std::ofstream(folder.path + "/" + std::to_string(scope))
        << rt::test::signed_token(JWT_ALG_HS256, secret,
                                  R"({"scope":"bench","scope_id":)" + std::to_string(scope) +
                                      R"(,"sub":"ada","exp":)" + std::to_string(until) + "}")
        << "\n";
  }
  const Served server(
      {"--surfaces", "events", "--redis", redis.url(), "--jwt-key-file", folder.path + "/key"});
  const Words settings = {"target.url=" + server.origin + "/events",
                          "publish.redis.producer.url=" + redis.url(),
                          "subscriptions.topics.count=" + std::to_string(kScopes)};
  const std::string bearer = "\"headers\": {\"Authorization\": \"Bearer @file:" + folder.path +
                             "/{conn%" + std::to_string(kScopes) + "}\"}";
  for (const char* http : {R"("http": "1.1")", R"("http": "2", "streams": 10)"}) {
    Words all = settings;
    all.push_back("target.request={" + std::string(http) + ", " + bearer + "}");
    const BenchRun ran = bench("events", all);
    check_nothing_lost(ran);
    CHECK(ran.report.at("delivery").at("received").get<int>() > 900);
    CHECK(ran.report.dump().find("eyJ") == std::string::npos);  // no token is in the report
  }
  const BenchRun refused = bench("events", settings);
  CHECK(refused.outcome.status == 4);
  Words missing = settings;
  missing.push_back(R"(target.request.headers={"Authorization": "@file:/no/such/{conn%5}"})");
  const BenchRun stopped = bench("events", missing);
  CHECK(stopped.outcome.status == 2);
  CHECK_THAT(stopped.outcome.err, Catch::Contains("/target/request/headers/Authorization") &&
                                      Catch::Contains("cannot read /no/such/0"));
}

TEST_CASE("bench engine: one stream brings several topics, and each delivery is accounted for",
          "[bench_engine]") {
  const Served server({"--surfaces", "realtime"});
  for (const char* per_connection :
       {R"({"dist": "fixed", "n": 3})", R"({"dist": "uniform", "min": 1, "max": 5})"}) {
    const BenchRun ran = bench(
        "realtime",
        {"target.url=" + server.origin + "/realtime?events={topic}",
         "subscriptions.per_connection=" + std::string(per_connection),
         R"(thresholds=[{"expr": "worst_conn.p95 < 5s"}, {"expr": "worst_topic.p95 < 5s"}])"});
    check_nothing_lost(ran);
    // 60 connections follow three of twelve topics each: an event is due to fifteen.
    const auto events = ran.report.at("delivery").at("events").get<double>();
    const auto expected = ran.report.at("delivery").at("expected").get<double>();
    CHECK(events > 150);
    CHECK(expected / events == Approx(15).epsilon(0.2));
  }
}

TEST_CASE("bench engine: an id that is no position is answered with the present state",
          "[bench_engine]") {
  const Rows rows;
  for (const char* last_id : {"garbage", "omit"}) {
    const BenchRun ran = rows.bench_claiming(last_id);
    INFO(last_id);
    check_nothing_lost(ran);
    const json& resume = ran.report.at("resume");
    CHECK(resume.at("storm_losses").get<int>() > 15);
    CHECK(resume.at("gaps_signalled") == resume.at("resumed"));
    CHECK(resume.at("gaps_silent") == 0);
    CHECK(ran.report.at("integrity").at("repeated") == 0);
  }
}

TEST_CASE("bench engine: who claims to be fifty events behind gets exactly those again",
          "[bench_engine]") {
  const Rows rows;
  const BenchRun ran = rows.bench_claiming(R"({"stale": {"by": 50}})");
  check_nothing_lost(ran);
  const json& resume = ran.report.at("resume");
  CHECK(resume.at("resumed").get<int>() > 15);
  CHECK(resume.at("gaps_signalled") == 0);
  CHECK(resume.at("gaps_silent") == 0);
  // Fifty events of twelve rows are four of each.
  const int resumed = resume.at("resumed").get<int>();
  CHECK(ran.report.at("integrity").at("repeated").get<int>() > 2 * resumed);
  CHECK(ran.report.at("integrity").at("repeated").get<int>() < 8 * resumed);
}
