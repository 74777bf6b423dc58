// The topics surface on a real PostgreSQL: messages cross instances through NOTIFY, in their own
// spelling, and say what was lost when the database goes.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "integration/topics_instance.h"

namespace rt::test {
namespace {

using Instance = TopicsInstance;

TEST_CASE("topics 8: what any instance or plain SQL publishes reaches the subscribers of all",
          "[topics]") {
  const PrivatePostgres postgres;
  const Instance one(postgres);
  const Instance two(postgres, {"--notify-shards", "16"});
  std::vector<std::unique_ptr<RunningTool>> tails;
  for (const Instance* instance : {&one, &two}) {
    tails.push_back(std::make_unique<RunningTool>(
        std::vector<std::string>{"rtctl", "sub", "topic", "Orders", "--url", instance->url(),
                                 "--json", "--records", "all", "--count", "4"}));
    REQUIRE(tails.back()->wait_for("listening orders"));
  }
  CHECK(one.publish("orders", "{\"n\": 1.50}").find("200 OK") != std::string::npos);
  CHECK(two.publish("orders", "\"it's \\u003c\"").find("200 OK") != std::string::npos);
  postgres.exec(R"(SELECT pg_notify('topic_broadcast_77', '{"topic":"orders","data":[3]}'))");
  postgres.exec(R"(SELECT pg_notify('topic_broadcast_1', 'no json'))");
  CHECK(one.publish("other", "0").find("200 OK") != std::string::npos);
  CHECK(one.publish("orders", "4").find("200 OK") != std::string::npos);
  for (const auto& tail : tails) {
    const Outcome end = tail->finish();
    INFO(end.err);
    CHECK(end.status == 0);
    std::vector<std::string> data;
    std::istringstream lines(end.out);
    for (std::string line; std::getline(lines, line);) {
      const auto record = nlohmann::json::parse(line);
      if (record["type"] == "event") data.push_back(record["data"]);
    }
    CHECK(data == std::vector<std::string>{"{\"n\":1.50}", "\"it's \\u003c\"", "[3]", "4"});
  }
  const auto health = two.health();
  CHECK(health["totals"]["listen_connected"] == true);
  CHECK(health["totals"]["notify_connected"] == true);
  CHECK(health["totals"]["published"] == 1);
  CHECK(health["totals"]["broadcast"] == 4);
}

TEST_CASE("topics: while the database is away publishing is 503, and afterwards all goes on",
          "[topics]") {
  PrivatePostgres postgres;
  const Instance one(postgres);
  RunningTool tail({"rtctl", "sub", "topic", "t", "--url", one.url(), "--data-only", "--records",
                    "all", "--count", "2"});
  REQUIRE(eventually(std::chrono::seconds(10),
                     [&] { return one.health()["totals"]["subscribers"] == 1; }));
  CHECK(one.publish("t", "1").find("200 OK") != std::string::npos);
  REQUIRE(tail.wait_for("1\n"));
  postgres.kill_9();
  // A backend may outlive its postmaster by a moment, and still take a message.
  CHECK(eventually(std::chrono::seconds(20), [&] {
    HttpClient client(*io::parse_address(one.address));
    client.post("/topics/elsewhere/events", "{\"data\":9}");
    const std::string& answer = client.until("\n\r\n");
    return answer.find("HTTP/1.1 503 ") == 0 &&
           client.until("publish error: cannot connect").find("publish error: ") !=
               std::string::npos;
  }));
  postgres.start();
  REQUIRE(one.tool->wait_for("listening again"));
  CHECK(one.publish("t", "2").find("200 OK") != std::string::npos);
  const Outcome end = tail.finish();
  CHECK(end.status == 0);
  CHECK(end.out == "1\n2\n");
}

TEST_CASE("topics: a queue of notifications that fills up is said, with its cause", "[topics]") {
  const PrivatePostgres postgres;
  // It has begun a transaction after LISTEN: the queue cannot be shortened before it ends.
  Connection asleep = postgres.connect();
  REQUIRE(asleep.exec("LISTEN anything", "listen"));
  REQUIRE(asleep.exec("BEGIN", "begin"));
  REQUIRE(asleep.exec("SELECT 1", "take a snapshot"));
  for (int n = 0; n < 10; ++n) {
    postgres.exec("SELECT pg_notify('anything', repeat('" + std::to_string(n) + "', 7000))");
  }
  const Instance instance(postgres, {"--notify-queue-warn", "0", "--notify-queue-poll", "100ms"});
  CHECK(instance.tool->wait_for("queue of notifications fills up"));
}

}  // namespace
}  // namespace rt::test
