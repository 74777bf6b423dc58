// The topics surface passes ssepg's own acceptance list, case by case, on a real PostgreSQL. Case 8
// is in topics_test.cc. What ssepg's tests call a programmatic publish is a NOTIFY in SQL here.
#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "integration/topics_instance.h"
#include "pg/listen.h"

namespace rt::test {
namespace {

// One database for all cases of this file: they differ in topics and servers.
const PrivatePostgres& database() {
  static const PrivatePostgres postgres;
  return postgres;
}

void notify(const std::string& topic, const std::string& data) {
  database().exec("SELECT pg_notify('topic_broadcast_3', '{\"topic\":\"" + topic +
                  "\",\"data\":" + data + "}')");
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string event(const std::string& data) {
  return "event: message\ndata: " + data + "\n\n";
}

TEST_CASE("ssepg 1, basic: what HTTP and what SQL publishes arrives as event: message",
          "[topics_acceptance]") {
  const TopicsInstance server(database());
  const auto subscriber = server.subscribe("basic");
  CHECK(status_code_of(subscriber->received()) == "200");
  CHECK(has(subscriber->received(), "\r\nContent-Type: text/event-stream"));
  CHECK(status_code_of(server.publish("basic", R"({"from":"http"})")) == "200");
  CHECK(has(subscriber->until("http"), "event: message\n"));
  notify("basic", R"({"from":"sql"})");
  CHECK(has(subscriber->until("sql\"}\n\n"),
            event(R"({"from":"http"})") + event(R"({"from":"sql"})")));
}

TEST_CASE("ssepg 2, isolation: a topic's subscriber gets its messages and no others",
          "[topics_acceptance]") {
  const TopicsInstance server(database());
  const auto one = server.subscribe("isolated-1");
  const auto two = server.subscribe("isolated-2");
  server.publish("isolated-1", "\"for one\"");
  server.publish("isolated-2", "\"for two\"");
  // They travel in order: when the last is there, whatever was astray would be too.
  server.publish("isolated-1", "\"end\"");
  server.publish("isolated-2", "\"end\"");
  CHECK(has(one->until("\"end\"\n\n"),
            ": listening isolated-1\n\n" + event("\"for one\"") + event("\"end\"")));
  CHECK(has(two->until("\"end\"\n\n"),
            ": listening isolated-2\n\n" + event("\"for two\"") + event("\"end\"")));
}

TEST_CASE("ssepg 3, several subscribers: one publish reaches all of them", "[topics_acceptance]") {
  const TopicsInstance server(database());
  std::vector<std::unique_ptr<HttpClient>> five;
  for (int n = 0; n < 5; ++n) five.push_back(server.subscribe("several"));
  server.publish("several", "7");
  for (const auto& each : five) CHECK(has(each->until("7\n\n"), event("7")));
}

TEST_CASE("ssepg 4, invalid requests: each is refused with its status", "[topics_acceptance]") {
  const TopicsInstance server(database());
  CHECK(status_code_of(server.post("invalid@topic", R"({"data":1})")) == "400");
  CHECK(status_code_of(server.post("", R"({"data":1})")) == "404");
  for (const char* body : {"{\"data\":", R"({"other":1})", R"({"data":null})", ""}) {
    INFO(body);
    const std::string answer = server.post("t", body);
    CHECK(status_code_of(answer) == "400");
    CHECK(has(answer, "\r\n\r\ninvalid JSON; expected {\"data\": ...}\n"));
  }
}

TEST_CASE("ssepg 5, health: JSON with status, totals and topics", "[topics_acceptance]") {
  const TopicsInstance server(database());
  const std::string answer = server.get("/healthz");
  CHECK(status_code_of(answer) == "200");
  CHECK(has(answer, "\r\nContent-Type: application/json\r\n"));
  const auto health = server.health();
  CHECK(health["status"] == "ok");
  CHECK(health["totals"].is_object());
  CHECK(health["topics"].is_array());
}

TEST_CASE("ssepg 6, heartbeat: a comment comes within its time", "[topics_acceptance]") {
  const TopicsInstance server(database(), {"--topics-keepalive", "1s"});
  const auto subscriber = server.subscribe("quiet");
  const Duration took =
      time_of([&] { CHECK(has(subscriber->until(": keep-alive\n\n"), ": keep-alive\n\n")); });
  CHECK(took < std::chrono::seconds(8));  // unless told otherwise it is 15
}

TEST_CASE("ssepg 7, gzip: who accepts it gets it", "[topics_acceptance]") {
  const TopicsInstance server(database());
  HttpClient client(server.at());
  client.get("/topics/packed/events", "Accept-Encoding: gzip\r\n");
  CHECK(has(client.until("\r\n\r\n"), "\r\nContent-Encoding: gzip\r\n"));
  HttpClient plain(server.at());
  plain.get("/topics/packed/events");
  CHECK_FALSE(has(plain.until("\r\n\r\n"), "Content-Encoding"));
}

TEST_CASE("ssepg 9, health port: health is there and not on the main port, where topics stream",
          "[topics_acceptance]") {
  const TopicsInstance server(database(), {"--health-listen", "127.0.0.1:0"});
  CHECK(status_code_of(server.get("/healthz")) == "404");
  CHECK(has(server.get("/healthz"), "\r\n\r\n404 page not found\n"));
  const auto subscriber = server.subscribe("ported");
  CHECK(status_code_of(server.publish("ported", "1")) == "200");
  CHECK(has(subscriber->until("data: 1\n\n"), event("1")));
  HttpClient client(*io::parse_address(server.logged("health:   http://")));
  client.get("/healthz", "Connection: close\r\n");
  const std::string& answer = client.until_closed();
  REQUIRE(status_code_of(answer) == "200");
  const auto health = nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n")));
  CHECK(health["go_version"].is_string());
  CHECK(health["num_goroutine"] > 1);  // threads, here
  for (const char* total : {"topics", "subscribers", "dispatch_depth", "pending_to_clients",
                            "published", "broadcast", "delivered_frames", "dropped_clients"}) {
    INFO(total);
    CHECK(health["totals"][total].is_number_integer());
  }
  CHECK(health["totals"]["published"] == 1);
}

TEST_CASE("ssepg 10, health counts: what was published is counted, in total and by topic",
          "[topics_acceptance]") {
  const TopicsInstance server(database());
  const auto subscriber = server.subscribe("counted");
  const int before = server.health()["totals"]["published"];
  for (int n = 0; n < 3; ++n) server.publish("counted", std::to_string(n));
  subscriber->until("data: 2\n\n");
  const auto health = server.health();
  CHECK(health["totals"]["published"] == before + 3);
  const auto& topics = health["topics"];
  const auto counted = std::find_if(topics.begin(), topics.end(), [](const nlohmann::json& topic) {
    return topic["topic"] == "counted";
  });
  REQUIRE(counted != topics.end());
  CHECK((*counted)["published"] == 3);
  CHECK((*counted)["broadcast"] == 3);
  CHECK((*counted)["delivered_frames"] == 3);
  CHECK((*counted)["pending_to_clients"] == 0);
}

struct Attempt {
  const char* name;
  bool publishes;
  const char* token;  // or null
  const char* status;
};

void check_attempts(const TopicsInstance& server, const std::vector<Attempt>& attempts) {
  for (const Attempt& attempt : attempts) {
    INFO(attempt.name);
    const std::string header = attempt.token == nullptr
                                   ? ""
                                   : "Authorization: Bearer " + std::string(attempt.token) + "\r\n";
    std::string answer;
    if (attempt.publishes) {
      answer = server.post("guarded", R"({"data":1})", header);
    } else {
      HttpClient client(server.at());
      client.get("/topics/guarded/events", header);
      answer = client.until("\r\n\r\n");
    }
    CHECK(status_code_of(answer) == attempt.status);
    if (std::string(attempt.status) == "401") {
      CHECK(has(answer, "\r\nWWW-Authenticate: Bearer\r\n"));
    }
  }
}

const RunningTool::Environment kBothTokens = {{"RT_PUBLISH_TOKEN", "pub-secret"},
                                              {"RT_LISTEN_TOKEN", "sub-secret"}};

TEST_CASE("ssepg 11, tokens: none, a wrong one and the other's are refused both ways",
          "[topics_acceptance]") {
  const TopicsInstance server(database(), {}, kBothTokens);
  check_attempts(server, {{"publish without", true, nullptr, "401"},
                          {"publish, wrong", true, "wrong", "401"},
                          {"publish with the listener's", true, "sub-secret", "401"},
                          {"publish, right", true, "pub-secret", "200"},
                          {"listen without", false, nullptr, "401"},
                          {"listen, wrong", false, "wrong", "401"},
                          {"listen with the publisher's", false, "pub-secret", "401"}});
}

TEST_CASE("ssepg 12, tokens: with both an event arrives", "[topics_acceptance]") {
  const TopicsInstance server(database(), {}, kBothTokens);
  const auto subscriber = server.subscribe("guarded", "Authorization: Bearer sub-secret\r\n");
  CHECK(status_code_of(server.post("guarded", R"({"data":12})",
                                   "Authorization: Bearer pub-secret\r\n")) == "200");
  CHECK(has(subscriber->until("data: 12\n\n"), event("12")));
}

TEST_CASE("ssepg 13, tokens: one alone guards its own verb", "[topics_acceptance]") {
  const TopicsInstance publish_only(database(), {}, {{"RT_PUBLISH_TOKEN", "pub-secret"}});
  check_attempts(publish_only,
                 {{"listen", false, nullptr, "200"}, {"publish", true, nullptr, "401"}});
  const TopicsInstance listen_only(database(), {}, {{"RT_LISTEN_TOKEN", "sub-secret"}});
  check_attempts(listen_only,
                 {{"listen", false, nullptr, "401"}, {"publish", true, nullptr, "200"}});
}

TEST_CASE("ssepg 14, tokens: each is refused on the other verb", "[topics_acceptance]") {
  const TopicsInstance server(database(), {}, kBothTokens);
  check_attempts(server, {{"publish with the listener's", true, "sub-secret", "401"},
                          {"listen with the publisher's", false, "pub-secret", "401"},
                          {"publish, right", true, "pub-secret", "200"},
                          {"listen, right", false, "sub-secret", "200"}});
}

TEST_CASE("ssepg 15, security log: the start says who may do what, and no token",
          "[topics_acceptance]") {
  const TopicsInstance guarded(database(), {}, kBothTokens);
  CHECK(has(guarded.tool->error_text(), "publish=token listen=token"));
  CHECK_FALSE(has(guarded.tool->error_text(), "secret"));
  const TopicsInstance open(database());
  CHECK(has(open.tool->error_text(), "publish=anybody listen=anybody"));
  CHECK(status_code_of(open.publish("t", "1")) == "200");
}

TEST_CASE("ssepg 16, memory: health says what topics take, and which are idle",
          "[topics_acceptance]") {
  const TopicsInstance server(database(), {"--topics-idle-timeout", "1s"});
  server.publish("left", "1");
  const auto health = server.health();
  CHECK(health["totals"]["total_memory_usage_bytes"] > 0);
  CHECK(health["totals"]["idle_topics"].is_number_integer());
  REQUIRE(health["topics"].size() == 1);
  CHECK(health["topics"][0]["memory_usage_bytes"] > 0);
  CHECK(health["topics"][0]["last_activity_unix"] > 1'700'000'000);
  CHECK(health["topics"][0]["is_idle"] == false);
  CHECK(eventually(std::chrono::seconds(5),
                   [&] { return server.health()["totals"]["idle_topics"] == 1; }));
}

// The channels on which a message of this topic is notified.
std::vector<std::string> channels_of(const TopicsInstance& server, const std::string& topic) {
  std::vector<std::string> channels = {"test_end"};
  for (int shard = 0; shard < 128; ++shard) {
    channels.push_back("topic_broadcast_" + std::to_string(shard));
  }
  auto listen = Listen::start(database().dsn(), channels, {});
  REQUIRE(listen);
  CHECK(status_code_of(server.publish(topic, "1")) == "200");
  database().exec("NOTIFY test_end");
  std::vector<std::string> heard;
  for (;;) {
    while (const auto notification = listen->next()) {
      if (notification->channel == "test_end") return heard;
      heard.emplace_back(notification->channel);
    }
    REQUIRE(listen->wait());
  }
}

TEST_CASE("ssepg 17, override: 128 shards, 256 threads, 32,768 messages, 2,048 for a client",
          "[topics_acceptance]") {
  const TopicsInstance server(
      database(), {"--notify-shards", "128", "--fanout-shards", "256", "--topics-ring", "32768",
                   "--topics-client-buffer", "2048", "--sse-buffer", "64KiB"});
  CHECK(server.logged("shards=") == "64");  // as many as there may be
  const auto subscriber = server.subscribe("topic-1");
  CHECK(channels_of(server, "topic-1") == std::vector<std::string>{"topic_broadcast_14"});
  CHECK(has(subscriber->until("data: 1\n\n"), event("1")));
}

TEST_CASE("ssepg 18, adaptive: what is not said follows the machine", "[topics_acceptance]") {
  const TopicsInstance server(database());
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t threads = std::stoul(server.logged("shards="));
  CHECK(threads >= processors);
  if (processors >= 4) CHECK(threads >= 8);
  // Eight channels, on which topics are spread.
  CHECK(channels_of(server, "test-topic") == std::vector<std::string>{"topic_broadcast_7"});
  CHECK(channels_of(server, "foobar") == std::vector<std::string>{"topic_broadcast_0"});
}

TEST_CASE("ssepg, a client's buffer: who leaves more messages unread is told and closed",
          "[topics_acceptance]") {
  const TopicsInstance server(database(), {"--topics-client-buffer", "2"});
  const auto stalled = server.subscribe("busy", "", 4096);
  const std::string big = '"' + std::string(7000, 'x') + '"';
  CHECK(eventually(std::chrono::seconds(10), [&] {
    server.publish("busy", big);
    return server.health()["totals"]["dropped_clients"] == 1;
  }));
  CHECK(has(stalled->until_closed(), ": closed: too slow"));
}

}  // namespace
}  // namespace rt::test
