// rtctl subscribe wal and notify, as a user runs them, against a real PostgreSQL.
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "integration/private_postgres.h"
#include "integration/private_redis.h"
#include "integration/running_tool.h"
#include "temp_folder.h"

namespace rt::test {
namespace {

std::vector<nlohmann::json> events(const std::string& out) {
  std::vector<nlohmann::json> all;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

TEST_CASE("subscribe wal: each change is one event, with its table, place and rows",
          "[subscribe_local]") {
  const PrivatePostgres postgres;
  REQUIRE(run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
  RunningTool sub({"rtctl", "sub", "wal", "--pg", postgres.dsn(), "--json", "--records", "all",
                   "--latency", "--filter", "/op != delete", "--count", "2"});
  REQUIRE(sub.wait_for(R"("type":"open")"));
  postgres.exec("INSERT INTO task_run (id, status, data) VALUES ('r1', 'new', '{\"n\": 1.50}')");
  postgres.exec("DELETE FROM task_run");
  postgres.exec("INSERT INTO task_run (id, tags) VALUES ('r2', '{a,b}')");
  const Outcome end = sub.finish();
  INFO(end.err);
  REQUIRE(end.status == 0);
  std::vector<nlohmann::json> shown;
  for (const auto& record : events(end.out)) {
    if (record["type"] == "event") shown.push_back(record);
  }
  REQUIRE(shown.size() == 2);
  CHECK(shown[0]["event"] == "insert");
  CHECK(shown[0]["topic"] == "public.task_run");
  CHECK(shown[0]["id"] < shown[1]["id"]);
  CHECK(shown[0]["lat_ms"].is_number());
  const auto data = nlohmann::json::parse(shown[0]["data"].get<std::string>());
  CHECK(data["new"]["status"] == "new");
  CHECK(data["new"]["data"]["n"] == 1.5);
  const auto second = nlohmann::json::parse(shown[1]["data"].get<std::string>());
  CHECK(second["new"]["tags"] == nlohmann::json({"a", "b"}));
}

TEST_CASE("subscribe wal: with a slot and a state a killed tail goes on where it was",
          "[subscribe_local]") {
  const PrivatePostgres postgres;
  REQUIRE(run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
  const rt::test::TempFolder folder;
  const std::string state = folder / "state";
  const std::vector<std::string> tail = {"rtctl",     "sub",  "wal",         "--pg", postgres.dsn(),
                                         "--slot",    "tail", "--state",     state,  "--template",
                                         "{/new/id}", "-o",   state + ".out"};
  const auto insert = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      postgres.exec("INSERT INTO task_run (id) VALUES ('r" + std::to_string(i) + "')");
    }
  };
  {
    RunningTool first(tail);
    REQUIRE(first.wait_for("slot"));  // "created replication slot tail"
    insert(0, 20);
    first.signal(SIGKILL);
    CHECK(first.finish().status == 137);
  }
  insert(20, 40);
  std::vector<std::string> rest = tail;
  rest.insert(rest.end(), {"--exit-at-end"});
  const Outcome end = run(rest);
  INFO(end.err);
  CHECK(end.status == 0);
  std::string expected;
  for (int i = 0; i < 40; ++i) expected += "r" + std::to_string(i) + "\n";
  std::ifstream out(state + ".out");
  CHECK(std::string(std::istreambuf_iterator<char>(out), {}) == expected);
}

TEST_CASE("subscribe notify: payloads as they are, with their channel", "[subscribe_local]") {
  const PrivatePostgres postgres;
  RunningTool sub({"rtctl", "sub", "notify", "orders", "Über x", "--pg", postgres.dsn(),
                   "--template", "{topic}={data}", "--records", "all", "--count", "3"});
  while (postgres.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'") ==
         "0") {
  }
  postgres.exec("SELECT pg_notify('orders', '{\"a\": 1}')");
  postgres.exec("SELECT pg_notify('Über x', E'two\\nlines')");
  postgres.exec("NOTIFY orders");
  const Outcome end = sub.finish();
  INFO(end.err);
  CHECK(end.status == 0);
  CHECK(end.out == "orders={\"a\": 1}\nÜber x=two\nlines\norders=\n");
}

TEST_CASE("subscribe redis: published messages, and the past of a stream", "[subscribe_local]") {
  const PrivateRedis redis;
  RunningTool sub({"rtctl", "sub", "redis", "gym:*", "--redis", redis.url(), "--json", "--records",
                   "all", "--count", "1"});
  REQUIRE(sub.wait_for(R"("type":"open")"));
  redis.command({"PUBLISH", "gym:1:students", "{\"a\":1}"});
  const Outcome published = sub.finish();
  INFO(published.err);
  REQUIRE(published.status == 0);
  CHECK(published.out.find(R"("topic":"gym:1:students","event":"message","data":"{\"a\":1}")") !=
        std::string::npos);

  for (const char* n : {"1", "2", "3"}) redis.command({"XADD", "orders", "*", "data", n});
  const auto past = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"rtctl",     "sub",         "redis",
                                      "orders",    "--stream",    "--redis",
                                      redis.url(), "--data-only", "--exit-at-end"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome end = run(words);
    INFO(end.err);
    CHECK(end.status == 0);
    return end.out;
  };
  CHECK(past({"--since", "begin"}) == "1\n2\n3\n");
  CHECK(past({"--last", "2"}) == "2\n3\n");
  CHECK(past({"--since", "1h"}) == "1\n2\n3\n");
  CHECK(past({}).empty());
}

TEST_CASE("subscribe: what local sources cannot do is exit 2 or 4 with the way out",
          "[subscribe_local]") {
  const PrivatePostgres postgres;
  const auto fails = [&](std::vector<std::string> words, int status, const std::string& expected) {
    words.insert(words.begin(), {"rtctl", "sub"});
    const Outcome end = run(words);
    INFO(end.err);
    CHECK(end.status == status);
    CHECK(end.err.find(expected) != std::string::npos);
  };
  fails({"wal"}, 2, "--pg DSN");
  fails({"notify"}, 2, "needs a CHANNEL");
  fails({"notify", "a", "--since", "15m", "--pg", postgres.dsn()}, 2, "keeps nothing");
  fails({"wal", "--pg", postgres.dsn()}, 4, "rtctl setup");
  fails({"wal", "--pg", "host=127.0.0.1 port=1"}, 3, "127.0.0.1:1");
  fails({"runs", "--slot", "s"}, 2, "belong to wal");
}

}  // namespace
}  // namespace rt::test
