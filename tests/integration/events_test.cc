// The events surface of `rtctl serve` on a real Redis.
#include <catch2/catch.hpp>

#include "integration/events_server.h"
#include "redis/subscriber.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;

std::string frame(const std::string& event, const std::string& data) {
  return "event: " + event + "\ndata: " + data + "\n\n";
}

TEST_CASE("events: who has the first bytes misses nothing that is published after them",
          "[events]") {
  const PrivateRedis redis;
  const EventsServer server({"--redis", redis.url()});
  RedisConnection publisher = redis.connect();
  for (std::uint64_t id = 0; id < 100; ++id) {
    EventsClient client(server, "gym", id);  // each a hub and a pattern of its own
    const std::string channel = "gym:" + std::to_string(id) + ":a";
    REQUIRE(publisher.command({"PUBLISH", channel, "x"}, "publish")->integer == 1);
    REQUIRE(client.until(frame("message", "x")) == frame("message", "x"));
  }
}

TEST_CASE("events: what anybody publishes to Redis arrives by eventrail's rules", "[events]") {
  const PrivateRedis redis;
  const EventsServer server({"--redis", redis.url(), "--event-prefix", " app. "});
  EventsClient client(server, "gym", 1);
  const std::string head = client.raw().received().substr(0, client.raw().received().find(": re"));
  for (const char* line :
       {"Content-Type: text/event-stream; charset=utf-8\r\n", "Connection: keep-alive\r\n",
        "Cache-Control: no-cache, no-transform\r\n", "X-Accel-Buffering: no\r\n"}) {
    INFO(head);
    CHECK(head.find(line) != std::string::npos);
  }
  CHECK(head.find("Transfer-Encoding") == std::string::npos);
  struct Row {
    std::string payload, frame;
  };
  const std::vector<Row> rows = {
      {R"({"event_type":"students.changed","data":{"id":123}})",
       frame("app.students.changed", R"({"id":123})")},
      {R"({"event_type":"app.x","data":null})", frame("app.x", "null")},
      {R"({"event_type":"x.y"})", frame("app.x.y", "{}")},
      {R"({"data":1})", frame("app.message", R"({"data":1})")},
      {"hello", frame("app.message", "hello")},
      {"{", frame("app.message", "{")},
      // Nothing in a payload starts a line of its own choice.
      {"a\n\nevent: forged\ndata: b",
       "event: app.message\ndata: a\ndata: \ndata: event: forged\ndata: data: b\n\n"},
      {"{\n  \"event_type\": \"x\",\r\n  \"data\": {\n    \"id\": 1\n  }\n}",
       "event: app.x\ndata: {\ndata:     \"id\": 1\ndata:   }\n\n"},
      {R"({"event_type":"x\n\ndata: forged\n\nevent: y","data":1})",
       frame("app.message", R"({"event_type":"x\n\ndata: forged\n\nevent: y","data":1})")},
      {R"({"event_type":"x\r","data":1})",
       frame("app.message", R"({"event_type":"x\r","data":1})")},
      {"", frame("app.message", "")},
  };
  std::string expected;
  for (const Row& row : rows) {
    redis.command({"PUBLISH", "gym:1:a:b/c", row.payload});
    expected += row.frame;
  }
  CHECK(client.until(rows.back().frame + "") == expected);
}

TEST_CASE("events: scope and scope id together are the border", "[events]") {
  const PrivateRedis redis;
  const EventsServer server({"--redis", redis.url()});
  std::vector<std::unique_ptr<EventsClient>> clients;
  const std::vector<std::pair<std::string, std::uint64_t>> scopes = {
      {"gym", 1}, {"org", 1}, {"gym", 12}, {"gym", 2}, {"GYM", 1}, {"gym", 1}};
  for (const auto& [scope, id] : scopes) {
    clients.push_back(std::make_unique<EventsClient>(server, scope, id));
  }
  CHECK(redis.command({"PUBSUB", "NUMPAT"}).integer == 5);  // one pattern a scope
  for (const char* channel : {"gym:1:a", "org:1:a", "gym:12:a", "gym:2:a", "GYM:1:a", "gym:3:a"}) {
    redis.command({"PUBLISH", channel, channel});
  }
  for (const auto& [scope, id] : scopes) {  // one that each gets ends the wait
    redis.command({"PUBLISH", scope + ":" + std::to_string(id) + ":end", "end"});
  }
  for (std::size_t i = 0; i + 1 < scopes.size(); ++i) {
    const auto& [scope, id] = scopes[i];
    const std::string own = frame("message", scope + ":" + std::to_string(id) + ":a");
    const std::string end = frame("message", "end");
    INFO(scope << ':' << id);
    const bool twice = i == 0;  // two publish "end" to gym:1
    CHECK(clients[i]->until(twice ? end + end : own + end) == own + end + (twice ? end : ""));
  }
}

TEST_CASE("events: what one instance is given, the subscribers of all get", "[events]") {
  const PrivateRedis redis;
  const EventsServer one({"--redis", redis.url()});
  const EventsServer two({"--redis", redis.url()});
  auto foreign = RedisSubscriber::psubscribe(redis.connect(), {"gym:*"});
  REQUIRE(foreign);
  EventsClient at_one(one, "gym", 1);
  EventsClient at_two(two, "gym", 1);
  RunningTool tail({"rtctl", "sub", "events", "gym:1", "--url", two.url(), "--data-only", "--count",
                    "3", "--records", "all"});
  REQUIRE(eventually(10s, [&] { return two.events_health()["subscribers"] == 2; }));
  // Whichever way it is published.
  const Outcome over_http = run({"rtctl", "pub", "event", "gym:1:students", "students.changed",
                                 "{\"id\": 123}", "--url", one.url()});
  INFO(over_http.err);
  CHECK(over_http.status == 0);
  const Outcome over_redis = run({"rtctl", "pub", "event", "gym:1:students", "students.changed",
                                  "[1]", "--via", "redis", "--redis", redis.url()});
  CHECK(over_redis.status == 0);
  const std::string answer =
      two.post(R"({"channel":"gym:1:a","event_type":"x","data":"<&\u2028>"})");
  CHECK(status_of(answer) == "HTTP/1.1 202 Accepted");
  CHECK(answer.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(body_of(answer) == "{\"channel\":\"gym:1:a\",\"receivers\":3}\n");
  const std::string last = frame("x", R"("<&\u2028>")");
  const std::string all =
      frame("students.changed", R"({"id":123})") + frame("students.changed", "[1]") + last;
  CHECK(at_one.until(last) == all);
  CHECK(at_two.until(last) == all);
  CHECK(tail.finish().out == "{\"id\":123}\n[1]\n\"<&\\u2028>\"\n");
  for (const char* envelope : {R"({"event_type":"students.changed","data":{"id":123}})",
                               R"({"event_type":"students.changed","data":[1]})",
                               R"({"event_type":"x","data":"<&\u2028>"})"}) {
    const auto message = foreign->next(SystemClock().now() + 10s);
    REQUIRE(message);
    REQUIRE(*message);
    CHECK((*message)->payload == envelope);
  }
}

TEST_CASE("events: rtctl sees through a server what it published over HTTP", "[events]") {
  const PrivateRedis redis;
  const EventsServer server({"--redis", redis.url()});
  const Outcome awaited = run({"rtctl", "pub", "event", "gym:7:a", "tick", "{\"n\":1}", "--url",
                               server.url(), "--await", "10s"});
  INFO(awaited.err);
  CHECK(awaited.status == 0);
}

TEST_CASE("events: a publish that is wrong goes nowhere and is told why", "[events]") {
  const PrivateRedis redis;
  const EventsServer server({"--redis", redis.url()});
  const auto refusal = [&](const std::string& body) {
    const std::string answer = server.post(body);
    return status_of(answer).substr(9) + ": " + body_of(answer);
  };
  CHECK(refusal("") ==
        "400 Bad Request: invalid JSON; expected {\"channel\", \"event_type\", \"data\"}\n");
  CHECK(refusal(R"({"channel":"students","event_type":"x"})").rfind("400 Bad Request: inv", 0) ==
        0);
  CHECK(refusal(R"({"channel":"gym:1:*","event_type":"x"})").rfind("400 Bad Request: inv", 0) == 0);
  CHECK(refusal(R"({"channel":"","event_type":"x"})") ==
        "400 Bad Request: channel cannot be empty\n");
  CHECK(refusal(R"({"channel":"gym:1:a","event_type":""})") ==
        "400 Bad Request: event type cannot be empty\n");
  const std::string outside = server.ask("POST /events?scope=gym&scope_id=2", {},
                                         R"({"channel":"gym:1:a","event_type":"x"})");
  CHECK(status_of(outside) == "HTTP/1.1 403 Forbidden");
  CHECK(status_of(server.ask("PUT /events")) == "HTTP/1.1 405 Method Not Allowed");
  CHECK(status_of(server.ask("POST /events", "", std::string(300'000, ' '))) ==
        "HTTP/1.1 413 Content Too Large");
  CHECK(server.events_health()["published"] == 0);
}

TEST_CASE("events: Redis goes and comes back: subscribers stay, are told, and hear again",
          "[events]") {
  PrivateRedis redis;
  EventsServer server({"--redis", redis.url()});
  EventsClient before(server, "gym", 1);
  redis.kill_9();
  REQUIRE(server.tool().wait_for("next_attempt="));
  const std::string body = R"({"channel":"gym:1:a","event_type":"x","data":1})";
  const std::string refused = server.post(body);
  CHECK(status_of(refused) == "HTTP/1.1 503 Service Unavailable");
  CHECK(body_of(refused).rfind("publish error: ", 0) == 0);
  CHECK(server.events_health()["status"] == "degraded");
  CHECK(server.health()["status"] == "degraded");
  EventsClient meanwhile(server, "gym", 2);
  CHECK(meanwhile.until("gap comment\n\n") ==
        ": no connection to Redis: events come again after the next gap comment\n\n");
  redis.start();
  const std::string gap = ": gap: the connection to Redis was lost, and is back\n\n";
  CHECK(before.until(gap) == gap);
  REQUIRE(meanwhile.until(gap).find(gap) != std::string::npos);
  CHECK(eventually(10s, [&] { return server.events_health()["status"] == "ok"; }));
  CHECK(server.events_health()["gaps"] == 1);
  redis.command({"PUBLISH", "gym:1:a", "one"});
  redis.command({"PUBLISH", "gym:2:a", "two"});
  CHECK(before.until(frame("message", "one")) == gap + frame("message", "one"));
  meanwhile.until(frame("message", "two"));
  CHECK(eventually(10s, [&] { return status_of(server.post(body)) == "HTTP/1.1 202 Accepted"; }));
}

TEST_CASE("events: a Redis that is not there yet holds up no start", "[events]") {
  PrivateRedis redis;
  redis.kill_9();
  EventsServer server({"--redis", redis.url()});
  REQUIRE(server.tool().wait_for("next_attempt="));
  CHECK(server.events_health()["status"] == "degraded");
  redis.start();
  REQUIRE(eventually(10s, [&] { return server.events_health()["status"] == "ok"; }));
  EventsClient client(server, "gym", 1);
  redis.command({"PUBLISH", "gym:1:a", "x"});
  CHECK(client.until(frame("message", "x")) == frame("message", "x"));
}

TEST_CASE("events: without a Redis the surface says so", "[events]") {
  const EventsServer server({});
  const std::string answer = server.ask("GET /events?scope=gym&scope_id=1");
  CHECK(status_of(answer) == "HTTP/1.1 503 Service Unavailable");
  CHECK(body_of(answer).find("events need a Redis: name it with --redis URL") != std::string::npos);
  CHECK(server.events_health()["status"] == "unavailable");
}

// Publishes until the server has noticed the subscriber that does not read.
int publish_until_missed(const PrivateRedis& redis, const EventsServer& server,
                         EventsClient& fast) {
  RedisConnection publisher = redis.connect();
  const std::string filler(2'000, 'x');
  int published = 0;
  while (server.events_health()["missed"] == 0) {
    for (int i = 0; i < 10; ++i) {
      const std::string payload = std::to_string(published++) + filler;
      REQUIRE(publisher.command({"PUBLISH", "gym:1:a", payload}, "publish"));
    }
    // Reads all along, and everything: what it has not read stays below the allowed backlog.
    const std::string last = "data: " + std::to_string(published - 1) + filler + "\n\n";
    fast.raw().until(last);
    REQUIRE(published < 100'000);
  }
  return published;
}

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) {
    ++count;
  }
  return count;
}

TEST_CASE("events: who is too slow misses the newest events, is told how many, and stays",
          "[events]") {
  const PrivateRedis redis;
  const EventsServer server({"--redis", redis.url()});
  EventsClient stalled(server, "gym", 1, 4096);
  EventsClient fast(server, "gym", 1);
  const auto published = static_cast<std::size_t>(publish_until_missed(redis, server, fast));
  CHECK(count_of(fast.bytes(), "event: message\n") == published);
  const std::string& bytes = stalled.raw().until(" events: too slow\n\n");
  const std::size_t at = bytes.find(": missed ");
  REQUIRE(at != std::string::npos);
  const std::size_t missed = std::stoul(bytes.substr(at + 9));
  CHECK(missed > 0);
  CHECK(count_of(bytes, "event: message\n") + missed == published);
  CHECK(server.health()["totals"]["events_dropped"] == missed);
  redis.command({"PUBLISH", "gym:1:a", "after"});
  CHECK(stalled.raw().until("data: after\n\n").find("data: after\n\n") != std::string::npos);
}

TEST_CASE("events: who is too slow is closed, if that is chosen", "[events]") {
  const PrivateRedis redis;
  const EventsServer server({"--redis", redis.url(), "--events-when-slow", "disconnect"});
  EventsClient stalled(server, "gym", 1, 4096);
  EventsClient fast(server, "gym", 1);
  const auto published = static_cast<std::size_t>(publish_until_missed(redis, server, fast));
  CHECK(count_of(fast.bytes(), "event: message\n") == published);
  const std::string& bytes = stalled.raw().until_closed();
  CHECK(bytes.find(": closed: too slow") != std::string::npos);
  CHECK(count_of(bytes, "event: message\n") < published);
  CHECK(eventually(10s, [&] { return server.events_health()["subscribers"] == 1; }));
}

TEST_CASE("events: a pattern lives as long as its subscribers, and a while longer", "[events]") {
  const PrivateRedis redis;
  const EventsServer server({"--redis", redis.url(), "--hub-idle-timeout", "300ms"});
  {
    EventsClient one(server, "gym", 1);
    EventsClient other(server, "gym", 1);
    CHECK(redis.command({"PUBSUB", "NUMPAT"}).integer == 1);
  }
  CHECK(eventually(10s, [&] { return redis.command({"PUBSUB", "NUMPAT"}).integer == 0; }));
  CHECK(server.events_health()["hubs"] == 0);
  EventsClient again(server, "gym", 1);
  redis.command({"PUBLISH", "gym:1:a", "x"});
  CHECK(again.until(frame("message", "x")) == frame("message", "x"));
}

TEST_CASE("events: heartbeats come in time, and a goodbye at the end", "[events]") {
  const PrivateRedis redis;
  EventsServer server({"--redis", redis.url(), "--events-heartbeat", "200ms"});
  EventsClient client(server, "gym", 1);
  CHECK(client.until(": heartbeat\n\n: heartbeat\n\n") == ": heartbeat\n\n: heartbeat\n\n");
  server.tool().signal(SIGTERM);
  const std::string& bytes = client.raw().until_closed();
  CHECK(bytes.find(": server shutting down\n\n") != std::string::npos);
  CHECK(client.raw().closed());
  CHECK(server.tool().finish().status == 0);
}

TEST_CASE("events: options that cannot work are refused before anything starts", "[events]") {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--redis", "http://127.0.0.1"},
                                             {"--hub-idle-timeout", "1ms"},
                                             {"--events-heartbeat", "soon"},
                                             {"--event-prefix", "a\nb"},
                                             {"--events-when-slow", "wait"},
                                             {"--jwt-key-file", "/nonexistent"}}) {
    std::vector<std::string> all = {"rtctl", "serve", "--listen", "127.0.0.1:0"};
    all.insert(all.end(), {"--surfaces", "events"});
    all.insert(all.end(), words.begin(), words.end());
    INFO(words.front());
    CHECK(run(all).status == 2);
  }
}

}  // namespace
}  // namespace rt::test
