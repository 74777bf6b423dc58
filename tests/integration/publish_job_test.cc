// rtctl publish job --via insert, on schemas that the real pg-boss has made; and pg-boss fetches
// what was sent.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "integration/pgboss.h"
#include "pg/listen.h"

namespace rt::test {
namespace {

using nlohmann::json;

TEST_CASE("publish job: pg-boss fetches what was inserted, and its queue's settings hold",
          "[publish_job]") {
  const std::string version = GENERATE("v10", "v12");
  INFO(version);
  const std::string folder = installed_pgboss(version);
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard");
  const Outcome sent = boss.send({"mail", R"({"to": "a", "n": [1]})"});
  INFO(sent.err);
  REQUIRE(sent.status == 0);
  const std::string id = first_line(sent.out);
  CHECK(sent.out == id + "\n");
  CHECK(id.size() == 36);
  const std::string row =
      "select retry_limit || ' ' || retry_backoff || ' ' || policy || ' ' || "
      "greatest(retry_delay, 1) || ' ' || state from pgboss.job";
  CHECK(boss.postgres.value(row) == "7 true standard 1 created");
  const json job = json::parse(first_line(boss.node("mail=fetch")));
  CHECK(job["id"] == id);
  CHECK(job["data"] == json::parse(R"({"to":"a","n":[1]})"));
}

TEST_CASE("publish job: the policy of the queue is kept, a job to come waits", "[publish_job]") {
  const std::string version = GENERATE("v10", "v12");
  INFO(version);
  const std::string folder = installed_pgboss(version);
  if (folder.empty()) return;
  const Boss boss(folder, "my_boss", "one=short later=standard");
  CHECK(boss.send({"one", "1"}).status == 0);
  const Outcome refused = boss.send({"one", "2"});
  CHECK(refused.status == 1);
  CHECK(refused.out == "");
  CHECK(refused.err.find("policy") != std::string::npos);
  CHECK(boss.send({"later", "3", "--start-after", "1h", "--priority", "5"}).status == 0);
  CHECK(boss.send({"later", "4", "--start-after", "2099-01-02T03:04:05Z"}).status == 0);
  const std::string at =
      "select string_agg((start_after > now() + interval '59 minutes') || ':' || "
      "priority, ',' order by priority) from my_boss.job where name = 'later'";
  CHECK(boss.postgres.value(at) == "true:0,true:5");
  CHECK(boss.postgres.value("select bool_and(keep_until > start_after) from my_boss.job") == "t");
  CHECK(boss.node("later=fetch") == "");
}

TEST_CASE("publish job: no queue, no pg-boss and an unknown version are refused", "[publish_job]") {
  const std::string version = GENERATE("v10", "v12");
  INFO(version);
  const std::string folder = installed_pgboss(version);
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard");
  const Outcome nowhere = boss.send({"nothing", "{}"});
  CHECK(nowhere.status == 4);
  CHECK(nowhere.err.find("there is no such queue") != std::string::npos);
  const Outcome absent = run(
      {"rtctl", "pub", "job", "mail", "{}", "--pg", boss.postgres.dsn(), "--schema", "elsewhere"});
  CHECK(absent.status == 4);
  CHECK(absent.err.find("it is not installed") != std::string::npos);
  CHECK(boss.send({"mail", "{"}).status == 2);
  for (const char* unknown : {"25", "30", "47"}) {
    boss.postgres.exec(std::string("update pgboss.version set version = ") + unknown);
    const Outcome newer = boss.send({"mail", "{}"});
    CHECK(newer.status == 4);
    CHECK(newer.err.find(std::string("does not write its version ") + unknown) !=
          std::string::npos);
  }
  CHECK(boss.postgres.value("select count(*) from pgboss.job") == "0");
}

TEST_CASE("publish job: a queue that notifies wakes a listener, once a runnable job",
          "[publish_job]") {
  const std::string folder = installed_pgboss("v12");
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard");
  boss.postgres.exec("update pgboss.queue set notify = true");
  auto listen = Listen::start(boss.postgres.dsn(), {"pgboss_454650302e472074f72063fd"}, {});
  REQUIRE(listen);
  CHECK(boss.send({"mail", "1", "--start-after", "1h"}).status == 0);
  CHECK(boss.send({"mail", "2"}).status == 0);
  CHECK(boss.postgres.value("select pg_notify('pgboss_454650302e472074f72063fd', 'last')") == "");
  std::vector<std::string> heard;
  while (heard.empty() || heard.back() != "last") {
    if (const auto notification = listen->next()) {
      heard.emplace_back(notification->payload);
    } else {
      REQUIRE(listen->wait());
    }
  }
  CHECK(heard == std::vector<std::string>{"mail", "last"});
}

}  // namespace
}  // namespace rt::test
