// rtbench through every preset against rtctl serve on real servers: each producer's events are
// accounted for one by one.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "integration/bench_run.h"
#include "integration/patience.h"
#include "integration/pgboss.h"
#include "integration/private_postgres.h"
#include "integration/private_redis.h"
#include "integration/running_tool.h"
#include "integration/served.h"
#include "temp_folder.h"

namespace {

using nlohmann::json;
using rt::test::add_settings;
using rt::test::BenchRun;
using rt::test::Outcome;
using rt::test::PrivatePostgres;
using rt::test::PrivateRedis;
using rt::test::RunningTool;
using rt::test::Served;
using rt::test::take_report;
using Words = std::vector<std::string>;

// 60 subscribers of 12 topics, 120 events a second for a second and a half. What depends on how
// busy this machine is does not decide the verdict here.
BenchRun bench(const std::string& preset, const Words& overrides) {
  const std::string path = std::filesystem::temp_directory_path() /
                           ("rtbench-presets-" + std::to_string(::getpid()) + ".json");
  Words words = {"rtbench",    "run",  "preset:" + preset, "--no-selftest",
                 "--progress", "none", "--report",         "json=" + path};
  const Words all = {
      "load.rate=120/s",
      "subscriptions.topics.count=12",
      R"(phases=[{"name": "ramp", "connections": {"to": 60}}, {"name": "warm", "hold": "200ms"},
                 {"name": "main", "hold": "1500ms", "measure": true},
                 {"name": "drain", "hold": "5s"}])",
      "thresholds=[{\"expr\": \"delivery.p95 < 5s\"}]",
      R"(integrity.check=["loss", "duplicate", "order", "content"])",
      "gates.waive=[\"client_saturation\", \"open_loop\", \"warm_up\", \"receive_queue\"]",
  };
  add_settings(words, all);
  add_settings(words, overrides);
  return take_report(RunningTool(words).finish(), path);
}

void check_exact(const BenchRun& ran) {
  CHECK(ran.outcome.status == 0);
  CHECK_THAT(ran.outcome.out, Catch::StartsWith("PASS"));
  REQUIRE(ran.report.is_object());
  CHECK(ran.report.at("delivery").at("expected").get<int>() > 500);
  CHECK(ran.report.at("delivery").at("expected") == ran.report.at("delivery").at("received"));
  CHECK(ran.report.at("integrity").at("lost") == 0);
  CHECK(ran.report.at("integrity").at("duplicate") == 0);
  CHECK(ran.report.at("integrity").at("reorder") == 0);
  CHECK(ran.report.at("integrity").at("corrupt") == 0);
  CHECK(ran.report.at("integrity").at("unasked") == 0);
}

}  // namespace

TEST_CASE("bench presets: topics by HTTP in memory, every delivery accounted for",
          "[bench_presets]") {
  const Served server({"--surfaces", "topics"});
  const BenchRun ran =
      bench("topics", {"target.url=" + server.origin + "/topics/{topic}/events",
                       "target.publish_url=" + server.origin + "/topics/{topic}/events"});
  check_exact(ran);
  CHECK(ran.report.at("delivery").at("from") == "intended");
  CHECK(ran.report.at("stages").at("publish").at("count").get<int>() > 100);
}

TEST_CASE("bench presets: topics by NOTIFY and HTTP at once on PostgreSQL", "[bench_presets]") {
  const PrivatePostgres postgres;
  const Served server({"--surfaces", "topics", "--pg", postgres.dsn()});
  REQUIRE(server.tool->wait_for("listening for notifications"));
  const BenchRun ran = bench(
      "topics",
      {"target.url=" + server.origin + "/topics/{topic}/events", "target.pg=" + postgres.dsn(),
       R"(publish=[{"id": "notify", "producer": {"type": "pg-notify"}, "rate": "80/s",
                    "size": {"dist": "lognormal", "p50": "200B", "p99": "2KiB"},
                    "payload": {"entropy": 0.7}},
                   {"id": "http", "rate": "80/s", "arrival": {"n": 10},
                    "producer": {"type": "http-post"}}])",
       "target.publish_url=" + server.origin + "/topics/{topic}/events"});
  check_exact(ran);
}

TEST_CASE("bench presets: events by Redis and by HTTP", "[bench_presets]") {
  const PrivateRedis redis;
  const Served server({"--surfaces", "events", "--redis", redis.url()});
  const std::string url = "target.url=" + server.origin + "/events?scope=bench&scope_id={topic}";
  check_exact(bench("events", {url, "publish.redis.producer.url=" + redis.url()}));
  check_exact(bench("events", {url, R"(publish.redis.producer={"type": "http-post"})"}));
}

TEST_CASE("bench presets: realtime by HTTP, Redis Pub/Sub and Redis Streams", "[bench_presets]") {
  const PrivateRedis redis;
  {
    const Served server(
        {"--surfaces", "realtime", "--realtime-transport", "redis", "--redis", redis.url()});
    const std::string url = "target.url=" + server.origin + "/realtime?events={topic}";
    check_exact(bench("realtime", {url}));
    check_exact(bench("realtime", {url, R"(publish.http.producer={"type": "redis-publish",
                                           "url": ")" +
                                            redis.url() + "\"}"}));
  }
  const Served server(
      {"--surfaces", "realtime", "--realtime-transport", "redis-stream", "--redis", redis.url()});
  check_exact(bench("realtime", {"target.url=" + server.origin + "/realtime?events={topic}",
                                 R"(publish.http.producer={"type": "redis-stream", "url": ")" +
                                     redis.url() + "\"}"}));
}

TEST_CASE(
    "bench presets: who asks for two types gets all of both, and what was not asked for fails",
    "[bench_presets]") {
  const Served server({"--surfaces", "realtime", "--realtime-transport", "memory"});
  const auto words = [&](const std::string& query) {
    return Words{
        "target.url=" + server.origin + "/realtime?" + query,
        "subscriptions.topics.name=task-{n}",
        R"f(subscriptions.filter={"expr": "type in (task-1, task-2)", "share": 0.5})f",
    };
  };
  check_exact(bench("realtime", words("events={topic}")));
  const BenchRun all = bench("realtime", words("events=all&not={topic}"));
  CHECK(all.outcome.status == 6);
  CHECK(all.report.at("integrity").at("lost") == 0);
  CHECK(all.report.at("integrity").at("unasked").get<int>() > 500);
  CHECK_THAT(all.outcome.out, Catch::Contains("first: topic number "));
}

TEST_CASE("bench presets: jobs of the real pg-boss, status changes by SQL", "[bench_presets]") {
  const std::string version = GENERATE("v10", "v12");
  INFO(version);
  const std::string folder = rt::test::installed_pgboss(version);
  if (folder.empty()) return;
  const rt::test::Boss boss(folder, "pgboss", "first=standard");
  REQUIRE(boss.jobs({"setup"}).status == 0);
  const Served server({"--surfaces", "jobs", "--pg", boss.postgres.dsn()});
  const BenchRun ran = bench("jobs", {"target.url=" + server.origin + "/jobs/{topic}/stream",
                                      "target.pg=" + boss.postgres.dsn()});
  check_exact(ran);
  CHECK(ran.report.at("delivery").at("from") == "commit");
}

TEST_CASE("bench presets: a recording's rhythm is published again, twice as fast",
          "[bench_presets]") {
  const PrivatePostgres postgres;
  REQUIRE(rt::test::run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
  const rt::test::TempFolder folder;
  const std::string archive = folder / "incident.rtr";
  {
    RunningTool recorder({"rtreplay", "record", "wal", "--pg", postgres.dsn(), "--publication",
                          "trigger_realtime_pub", "-n", "150", "-o", archive});
    REQUIRE(rt::test::eventually(std::chrono::seconds(10), [&] {
      return postgres.value("select count(*) from pg_replication_slots where active") == "1";
    }));
    for (int i = 0; i < 150; ++i) {
      postgres.exec("insert into task_run (id, status) values ('inc-" + std::to_string(i % 7) +
                    "', 'A') on conflict (id) do update set status = 'B', updated_at = now()");
    }
    const Outcome end = recorder.finish();
    INFO(end.err);
    REQUIRE(end.status == 0);
  }
  const Served server({"--surfaces", "runs", "--pg", postgres.dsn()});
  REQUIRE(server.tool->wait_for("streaming from"));
  const BenchRun ran = bench(
      "runs",
      {"target.url=" + server.origin, "target.pg=" + postgres.dsn(), "subscriptions.topics.count=7",
       R"(phases=[{"name": "ramp", "connections": {"to": 60}},
                          {"name": "main", "hold": "3s", "measure": true},
                          {"name": "drain", "hold": "2s"}])",
       R"(publish=[{"id": "inc", "producer": {"archive": ")" + archive + R"(", "speed": 2}}])"});
  CHECK(ran.outcome.status == 0);
  REQUIRE(ran.report.is_object());
  CHECK(ran.report.at("load").at("offered").get<int>() == 150);
  CHECK(ran.report.at("integrity").at("lost") == 0);
}

TEST_CASE("bench presets: rows inserted in batches reach those who follow their tag",
          "[bench_presets]") {
  const PrivatePostgres postgres;
  REQUIRE(rt::test::run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
  const Served server({"--surfaces", "runs", "--pg", postgres.dsn()});
  REQUIRE(server.tool->wait_for("streaming from"));
  const Words words = {"target.url=" + server.origin, "target.pg=" + postgres.dsn(),
                       R"(publish=[{"id": "new", "arrival": {"n": 20, "every": "125ms"},
                   "payload": {"template": "{\"tag\": \"{topic}\", \"n\": {seq}}"},
                   "producer": {"type": "pg-insert", "batch": 10, "connections": 2}}])"};
  // The second run finds the rows of the first, and must not take them for its own.
  for (int run = 0; run < 2; ++run) {
    const BenchRun ran = bench("runs", words);
    check_exact(ran);
    CHECK(ran.report.at("delivery").at("from") == "commit");
  }
  Words filtered = words;
  filtered.push_back("subscriptions.topics.name=tag-{n}");
  filtered.push_back(
      R"f(subscriptions.filter={"expr": "tags in (tag-1, tag-2, tag-3)", "share": 0.3})f");
  check_exact(bench("runs", filtered));
  const int rows = std::stoi(postgres.value(
      "select count(*) from task_run where env_id = 'bench-insert' and data->>'seq' <> '0'"));
  CHECK(postgres.value("select bool_and(data->'value'->>'tag' = tags[1] and "
                       "data->'value'->'n' = data->'seq') from task_run") == "t");
  const int transactions =
      std::stoi(postgres.value("select count(distinct xmin::text) from task_run"));
  CHECK(rows > 200);
  CHECK(transactions * 2 < rows);
}

TEST_CASE("bench presets: raw publishes nothing, and says that delivery cannot be measured",
          "[bench_presets]") {
  const Served server({"--surfaces", "topics"});
  Words words = {"rtbench", "run", "preset:raw", "--no-selftest", "--progress", "none"};
  add_settings(words, {"target.url=" + server.origin + "/topics/a/events", "load.connections=20",
                       "phases.main.hold=500ms", "gates.waive=[\"client_saturation\"]"});
  const Outcome end = RunningTool(words).finish();
  INFO(end.out << end.err);
  CHECK(end.status == 0);
  CHECK_THAT(end.out, Catch::Contains("delivery latency cannot be measured"));
  add_settings(words, {"thresholds=[{\"expr\": \"delivery.p95 < 1s\"}]"});
  const Outcome refused = RunningTool(words).finish();
  CHECK(refused.status == 2);
  CHECK_THAT(refused.err, Catch::Contains("cannot be measured"));
}
