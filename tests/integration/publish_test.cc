// rtctl publish on a real Redis, a real PostgreSQL and rtctl's own server. Jobs are in
// publish_job_test.cc.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/private_redis.h"
#include "integration/running_tool.h"
#include "pg/listen.h"
#include "redis/subscriber.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

std::string next_message(RedisSubscriber& listener) {
  const auto message = listener.next(SystemClock().now() + 10s);
  REQUIRE(message);
  REQUIRE(*message);
  return (*message)->payload;
}

Listen listen_on(const PrivatePostgres& postgres, const std::string& channel) {
  auto listen = Listen::start(postgres.dsn(), {channel}, {});
  REQUIRE(listen);
  return std::move(*listen);
}

std::string next_payload(Listen& listen) {
  for (;;) {
    if (const auto notification = listen.next()) return std::string(notification->payload);
    REQUIRE(listen.wait());
  }
}

TEST_CASE("publish event: PUBLISH of the envelope on the channel", "[publish]") {
  const PrivateRedis redis;
  auto listener = RedisSubscriber::subscribe(redis.connect(), {"gym:1:students"});
  REQUIRE(listener);
  const Outcome end =
      run({"rtctl", "publish", "event", "gym:1:students", "students.changed",
           R"({"id": 1.50, "t":"<ü>"})", "[1, 2]", "--via", "redis", "--redis", redis.url()});
  CHECK(end.status == 0);
  CHECK(end.out == "");
  CHECK(next_message(*listener) ==
        R"({"event_type":"students.changed","data":{"id":1.50,"t":"<ü>"}})");
  CHECK(next_message(*listener) == R"({"event_type":"students.changed","data":[1,2]})");
}

TEST_CASE("publish event: REDIS_URL, a record, and how many listened", "[publish]") {
  const PrivateRedis redis;
  const RunningTool::Environment env{{"REDIS_URL", redis.url()}};
  const Outcome lonely =
      run({"rtctl", "pub", "event", "gym:1:a", "t", "{}", "--via", "redis"}, "", env);
  CHECK(lonely.status == 0);
  CHECK(lonely.err == "rtctl: nobody was listening\n");
  auto listener = RedisSubscriber::psubscribe(redis.connect(), {"gym:*"});
  REQUIRE(listener);
  const Outcome heard =
      run({"rtctl", "pub", "event", "gym:1:a", "t", "{}", "--via", "redis", "--json"}, "", env);
  const json record = json::parse(heard.out);
  CHECK(record["v"] == 1);
  CHECK(record["type"] == "published");
  CHECK(record["target"] == "PUBLISH gym:1:a");
  CHECK(record["receivers"] == 1);
  CHECK(record["ms"].get<double>() > 0);
  CHECK(heard.err == "");
}

TEST_CASE("publish realtime: rt:all carries an event with id and origin, and prints the id",
          "[publish]") {
  const PrivateRedis redis;
  auto listener = RedisSubscriber::subscribe(redis.connect(), {"rt:all"});
  REQUIRE(listener);
  const Outcome end = run({"rtctl", "pub", "realtime", "task-updated", R"({"id":7})", "--user",
                           "u1", "--redis", redis.url()});
  CHECK(end.status == 0);
  const std::string payload = next_message(*listener);
  CHECK(payload.rfind(R"({"type":"task-updated","data":{"id":7},"userId":"u1","timestamp":"20)",
                      0) == 0);
  const json event = json::parse(payload);
  CHECK(end.out == event["id"].get<std::string>() + "\n");
  CHECK(!event["origin"].get<std::string>().empty());
}

TEST_CASE("publish realtime --stream: one field of a new entry, whose id is printed", "[publish]") {
  const PrivateRedis redis;
  const Outcome end =
      run({"rtctl", "pub", "realtime", "t", "1", "--stream", "--redis", redis.url()});
  CHECK(end.status == 0);
  const RedisReply entries = redis.command({"XRANGE", "rt:stream", "-", "+"});
  REQUIRE(entries.items.size() == 1);
  CHECK(end.out == entries.items[0].items[0].text + "\n");
  const RedisReply& fields = entries.items[0].items[1];
  REQUIRE(fields.items.size() == 2);
  CHECK(fields.items[0].text == "data");
  CHECK(json::parse(fields.items[1].text)["type"] == "t");
}

TEST_CASE("publish topic: NOTIFY on the topic's shard with the original spelling", "[publish]") {
  const PrivatePostgres postgres;
  Listen listen = listen_on(postgres, "topic_broadcast_3");  // alpha, 8 shards
  const Outcome end = run({"rtctl", "pub", "topic", "Alpha", R"({"z": 1.50, "a": "it's \\ <&>"})",
                           "--pg", postgres.dsn()});
  CHECK(end.err == "");
  CHECK(end.status == 0);
  CHECK(next_payload(listen) == R"({"topic":"alpha","data":{"z":1.50,"a":"it's \\ <&>"}})");
}

TEST_CASE("publish topic: 7,900 bytes pass, 7,901 are refused before anything is sent",
          "[publish]") {
  const PrivatePostgres postgres;
  Listen listen = listen_on(postgres, "topic_broadcast_4");  // a, 8 shards
  const std::string data = '"' + std::string(7900 - 21 - 2, 'x') + '"';
  CHECK(run({"rtctl", "pub", "topic", "a", data, "--pg", postgres.dsn()}).status == 0);
  CHECK(next_payload(listen).size() == 7900);
  const Outcome large =
      run({"rtctl", "pub", "topic", "a", "\"x" + data.substr(1), "--pg", postgres.dsn()});
  CHECK(large.status == 2);
  CHECK(large.err.find("payload too large for NOTIFY (7901 > 7900)") != std::string::npos);
}

TEST_CASE("publish notify: any text, capitals in the channel, lines on a schedule", "[publish]") {
  const PrivatePostgres postgres;
  Listen listen = listen_on(postgres, "Orders");
  const Outcome end = run({"rtctl", "pub", "notify", "Orders", "--rate", "500/s", "--json"},
                          "a 'b'\n\n{\"c\": {{n}}}\n", {{"RT_PG", postgres.dsn()}});
  CHECK(end.status == 0);
  CHECK(next_payload(listen) == "a 'b'");
  CHECK(next_payload(listen) == "{\"c\": {{n}}}");
  CHECK(std::count(end.out.begin(), end.out.end(), '\n') == 2);
  CHECK(end.err.find("rtctl: sent 2 in ") == 0);
}

TEST_CASE("publish --await: the message comes back over NOTIFY, and how long that took is said",
          "[publish]") {
  const PrivatePostgres postgres;
  const Outcome topic = run(
      {"rtctl", "pub", "topic", "alpha", R"({"b": 1, "a":2})", "--pg", postgres.dsn(), "--await"});
  INFO(topic.err);
  CHECK(topic.status == 0);
  CHECK(topic.err.find("rtctl: came back after ") == 0);
  const Outcome realtime = run({"rtctl", "pub", "realtime", "t", "{}", "--via", "notify", "--pg",
                                postgres.dsn(), "--await=5s", "--json", "--count", "3"});
  INFO(realtime.err);
  CHECK(realtime.status == 0);
  CHECK(realtime.out.find(R"("type":"returned","n":3,"ms":)") != std::string::npos);
  CHECK(realtime.err.find("rtctl: 3 came back: p50 ") != std::string::npos);
  const Outcome notify =
      run({"rtctl", "pub", "notify", "c", "plain", "--pg", postgres.dsn(), "--await", "5s"});
  CHECK(notify.status == 0);
}

TEST_CASE("publish --await: the message comes back over Redis", "[publish]") {
  const PrivateRedis redis;
  for (std::vector<std::string> words :
       {std::vector<std::string>{"event", "gym:1:a", "t", R"({"id":1})"},
        {"realtime", "t", R"({"id":1})"},
        {"realtime", "t", R"({"id":1})", "--stream"}}) {
    words.insert(words.begin(), {"rtctl", "pub"});
    words.insert(words.end(), {"--via", "redis", "--redis", redis.url(), "--await"});
    const Outcome end = run(words);
    INFO(words[2] << words.size() << end.err);
    CHECK(end.status == 0);
    CHECK(end.err.find("rtctl: came back after ") != std::string::npos);
  }
}

TEST_CASE("publish run: inserted rows come back from rtctl serve", "[publish]") {
  PrivatePostgres postgres;
  REQUIRE(run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
  RunningTool server({"rtctl", "serve", "--listen", "127.0.0.1:0", "--pg", postgres.dsn()});
  REQUIRE(server.wait_for("streaming from"));
  const std::string marker = "serving ";
  const std::string& said = server.error_text();
  const std::size_t at = said.find(marker) + marker.size();
  const std::string url = said.substr(at, said.find_first_of(" \n", at) - at);
  const Outcome end = run({"rtctl", "pub", "run", "--id", "r{{n}}", "--status", "done", "--data",
                           R"({"n":{{n}},"at":"{{now}}"})", "--count", "5", "--rate", "50/s",
                           "--pg", postgres.dsn(), "--url", url, "--await=20s"});
  INFO(end.err);
  CHECK(end.status == 0);
  CHECK(end.out == "r1\nr2\nr3\nr4\nr5\n");
  CHECK(end.err.find("5 came back: ") != std::string::npos);
  CHECK(postgres.value(
            "select string_agg(id || (data::json->>'n'), ',' order by id) from task_run") ==
        "r11,r22,r33,r44,r55");
}

TEST_CASE("publish: a database that goes away on a schedule is counted and come back to",
          "[publish]") {
  PrivatePostgres postgres;
  RunningTool publisher({"rtctl", "pub", "notify", "c", "{{n}}", "--rate", "100/s", "--duration",
                         "60s", "--json", "--pg", postgres.dsn()});
  REQUIRE(publisher.wait_for("\"n\":5,"));
  REQUIRE(postgres.stop_immediate());
  postgres.start();
  Listen listen = listen_on(postgres, "c");
  CHECK(std::stoi(next_payload(listen)) > 5);
  publisher.signal(SIGINT);
  const Outcome end = publisher.finish();
  CHECK(end.status == 130);
  CHECK(end.err.find("rtctl: interrupted: sent ") != std::string::npos);
  CHECK(end.err.find(", 0 errors") == std::string::npos);
}

}  // namespace
}  // namespace rt::test
