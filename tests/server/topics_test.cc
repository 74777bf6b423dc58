// The topics surface: what is read and written (pure), and the server's behaviour over HTTP. The
// numbered cases are ssepg's own acceptance list.
#include <zlib.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "server/gzip_frames.h"
#include "server/http_client.h"
#include "server/server.h"
#include "server/topic_table.h"
#include "server/topic_wire.h"
#include "server/topics_board.h"
#include "server/topics_endpoint.h"

using namespace rt;
using namespace rt::server;
using rt::test::HttpClient;

namespace {

std::unique_ptr<Server> start(const SystemClock& clock, TopicsHttp topics = {}) {
  ServerOptions options;
  options.listen = *io::parse_address("127.0.0.1:0");
  options.connections_max = 2'000;
  options.accepts_publish = true;
  SurfaceParts parts;
  parts.surface = Surface::topics;
  parts.endpoint = std::make_shared<TopicsEndpoint>(std::move(topics));
  parts.board = std::make_unique<TopicsBoard>(TopicsBoard::Options{});
  options.surfaces.push_back(std::move(parts));
  auto server = Server::start(std::move(options), clock);
  if (!server) FAIL(server.error().text);
  return std::move(*server);
}

// The whole answer to one request.
std::string ask(const Server& server, const std::string& request) {
  HttpClient client(server.address());
  client.send(request);
  return client.until_closed();
}

std::string post(const Server& server, const std::string& topic, const std::string& body,
                 const std::string& headers = "") {
  return ask(server, "POST /topics/" + topic +
                         "/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers +
                         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

// A subscriber that is known to listen.
struct Listener {
  Listener(const Server& server, const std::string& topic, const std::string& headers = "")
      : client(server.address()) {
    client.send("GET /topics/" + topic + "/events HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
    client.until(": listening");
  }
  HttpClient client;
};

std::string gunzip(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string out(1 << 16, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = inflate(&stream, Z_SYNC_FLUSH);
  CHECK((status == Z_OK || status == Z_BUF_ERROR));
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

}  // namespace

TEST_CASE("topics: frames have a data line for each line, whatever ends it", "[server][topics]") {
  CHECK(topic_frame("{}") == "event: message\ndata: {}\n\n");
  CHECK(topic_frame("") == "event: message\ndata: \n\n");
  CHECK(topic_frame("a\nb\r\nc\rd") == "event: message\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
  CHECK(topic_preamble("t", "") == "retry: 5000\n\n: listening t\n\n");
  CHECK(topic_preamble("t", "x 1") == "retry: 5000\n\n: last-event-id=x 1\n\n: listening t\n\n");
}

TEST_CASE("topics: an envelope is read as Go reads it, and its data kept as it is",
          "[server][topics]") {
  const auto plain = parse_topic_envelope(R"({"topic":"a","data":{"n": 1.50e0,"n":2}})");
  REQUIRE(plain);
  CHECK(plain->topic == "a");
  CHECK(plain->data == R"({"n": 1.50e0,"n":2})");
  CHECK(parse_topic_envelope(R"({"DATA":1,"Topic":"Upper","data":2})")->data == "2");
  CHECK(parse_topic_envelope(R"({"topic":"a"})")->data.empty());
  for (const char* bad : {"", "x", "[]", "{\"topic\":7}", "{\"data\":1}", "{\"topic\":\"a\""}) {
    INFO(bad);
    CHECK_FALSE(parse_topic_envelope(bad));
  }
}

TEST_CASE("topics: publish requests are refused with ssepg's words", "[server][topics]") {
  const auto parsed = [](const std::string& body) { return parse_topic_publish("t", body, 7900); };
  CHECK(parsed(R"({ "data" : { "b" : "\u003c", "a" : 1.0 } })").data ==
        R"({"b":"\u003c","a":1.0})");
  for (const char* bad : {"", "{", "[1]", "{}", R"({"data":null})", R"({"dat":1})"}) {
    INFO(bad);
    CHECK(parsed(bad).status == 400);
    CHECK(parsed(bad).refusal == "invalid JSON; expected {\"data\": ...}\n");
  }
  const std::string at_limit(7900 - 20 - 1 - 2, 'x');
  CHECK(parsed("{\"data\":\"" + at_limit + "\"}").status == 200);
  CHECK(parsed("{\"data\":\"" + at_limit + "x\"}").refusal ==
        "payload too large for NOTIFY (7901 > 7900)\n");
  CHECK(parsed("{\"data\":\"" + at_limit + "xxxx\"}").refusal ==
        "payload too large for NOTIFY (>7900 bytes)\n");
  CHECK(parsed("{\"data\":\"" + at_limit + "xxxx\"}").status == 413);
}

TEST_CASE("topics: a path names a topic, a wrong one, or none", "[server][topics]") {
  CHECK(topic_of_path("/topics/Orders/events", "/topics") == "orders");
  CHECK(topic_of_path("/topics/a@b/events", "/topics") == "");
  CHECK(topic_of_path("/topics/" + std::string(129, 'a') + "/events", "/topics") == "");
  for (const char* other : {"/topics//events", "/topics/a", "/topics/a/b/events", "/topics/events",
                            "/other/a/events", "/topics/a/events/"}) {
    INFO(other);
    CHECK_FALSE(topic_of_path(other, "/topics"));
  }
  CHECK(topic_of_path("/a/events", "") == "a");
}

TEST_CASE("topics: a token is compared whole, its scheme in any case", "[server][topics]") {
  CHECK(bears_token("Bearer secret", "secret"));
  CHECK(bears_token("bEARER  secret ", "secret"));
  for (const char* bad :
       {"", "secret", "Bearer", "Bearer secre", "Bearer secrets", "Basic secret"}) {
    INFO(bad);
    CHECK_FALSE(bears_token(bad, "secret"));
  }
  CHECK_FALSE(bears_token("Bearer ", ""));
}

TEST_CASE("topics: gzip frames that were made apart are one stream, whole after each of them",
          "[server][topics]") {
  std::string bytes(kGzipHeader);
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    const std::string frame = topic_frame(std::string(static_cast<std::size_t>(i * 7), 'a'));
    bytes += gzip_blocks(frame);
    expected += frame;
    REQUIRE(gunzip(bytes) == expected);
  }
}

TEST_CASE("topics 1: what is published arrives as event: message, and only then the next",
          "[server][topics]") {
  const SystemClock clock;
  const auto server = start(clock);
  Listener one(*server, "orders");
  CHECK(one.client.until(": listening orders\n\n")
            .find("Content-Type: text/event-stream; charset=utf-8\r\n") != std::string::npos);
  const std::string answer = post(*server, "orders", R"({"data": {"n": 1}})");
  CHECK(answer.find("HTTP/1.1 200 OK\r\n") == 0);
  CHECK(answer.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(answer.find("\r\n\r\n{\"data\":{\"n\":1},\"topic\":\"orders\"}\n") != std::string::npos);
  post(*server, "ORDERS", R"({"data":2})");
  const std::string& got = one.client.until("data: 2\n\n");
  CHECK(got.find("retry: 5000\n\n: listening orders\n\nevent: message\ndata: {\"n\":1}\n\n"
                 "event: message\ndata: 2\n\n") != std::string::npos);
}

TEST_CASE("topics 2, 3: each topic's subscribers get its messages, all of them, and no others",
          "[server][topics]") {
  const SystemClock clock;
  const auto server = start(clock);
  std::vector<std::unique_ptr<Listener>> five;
  for (int i = 0; i < 5; ++i) five.push_back(std::make_unique<Listener>(*server, "a"));
  Listener other(*server, "b");
  post(*server, "a", R"({"data":"for a"})");
  post(*server, "b", R"({"data":"for b"})");
  post(*server, "a", R"({"data":"end"})");
  for (const auto& each : five) {
    const std::string& got = each->client.until("\"end\"\n\n");
    CHECK(got.find("\"for a\"") != std::string::npos);
    CHECK(got.find("\"for b\"") == std::string::npos);
  }
  CHECK(other.client.until("\"for b\"").find("\"for a\"") == std::string::npos);
}

TEST_CASE("topics 4: requests that cannot be are refused as ssepg does", "[server][topics]") {
  const SystemClock clock;
  const auto server = start(clock);
  const auto status = [](const std::string& answer) { return answer.substr(9, 3); };
  CHECK(status(post(*server, "invalid@topic", R"({"data":1})")) == "400");
  CHECK(status(post(*server, "", R"({"data":1})")) == "404");
  for (const char* body : {"{bad", "{}", R"({"data":null})", ""}) {
    INFO(body);
    CHECK(status(post(*server, "t", body)) == "400");
  }
  const std::string wrong = ask(*server, "DELETE /topics/t/events HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(status(wrong) == "405");
  CHECK(wrong.find("Allow: GET, POST, OPTIONS\r\n") != std::string::npos);
  const std::string options =
      ask(*server, "OPTIONS /topics/t/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(status(options) == "204");
  CHECK(options.find("Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n") != std::string::npos);
  CHECK(options.find("Content-Length") == std::string::npos);
}

TEST_CASE("topics 5, 10, 16: health has every field, and counts", "[server][topics]") {
  const SystemClock clock;
  const auto server = start(clock);
  Listener one(*server, "a");
  post(*server, "a", R"({"data":1})");
  one.client.until("data: 1\n\n");
  const std::string answer =
      ask(*server, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(answer.find("Content-Type: application/json\r\n") != std::string::npos);
  const auto health = nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n")));
  CHECK(health["status"] == "ok");
  for (const char* field : {"go_version", "last_notification_at", "now", "num_goroutine"}) {
    CHECK(health.contains(field));
  }
  for (const char* field :
       {"topics", "subscribers", "dispatch_depth", "pending_to_clients", "published", "broadcast",
        "delivered_frames", "dropped_clients", "total_memory_usage_bytes", "idle_topics",
        "listen_connected", "notify_connected", "reconnect_attempts"}) {
    INFO(field);
    CHECK(health["totals"].contains(field));
  }
  REQUIRE(health["topics"].size() == 1);
  const auto& topic = health["topics"][0];
  CHECK(topic["topic"] == "a");
  CHECK(topic["subscribers"] == 1);
  CHECK(topic["published"] == 1);
  CHECK(topic["broadcast"] == 1);
  CHECK(topic["delivered_frames"] == 1);
  CHECK(topic["is_idle"] == false);
  CHECK(topic["last_activity_unix"].get<std::int64_t>() > 1'700'000'000);
  CHECK(topic["memory_usage_bytes"].get<int>() > 0);
}

TEST_CASE("topics 6: keepalive comments come at their interval", "[server][topics]") {
  const SystemClock clock;
  TopicsHttp topics;
  topics.keepalive_every = std::chrono::milliseconds(100);
  const auto server = start(clock, topics);
  Listener one(*server, "a");
  const std::string twice = ": keep-alive\n\n: keep-alive\n\n";
  CHECK(one.client.until(twice).find(twice) != std::string::npos);
}

TEST_CASE("topics 7: gzip is flushed with every frame, keepalives too", "[server][topics]") {
  const SystemClock clock;
  TopicsHttp topics;
  topics.keepalive_every = std::chrono::milliseconds(100);
  const auto server = start(clock, topics);
  HttpClient client(server->address());
  client.send("GET /topics/a/events HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br, gzip\r\n\r\n");
  client.until("\r\n\r\n");
  const auto decoded = [&client] {
    const std::string& all = client.received();
    const std::string body = all.substr(all.find("\r\n\r\n") + 4);
    return body.empty() ? body : gunzip(body);
  };
  CHECK(
      client.until_true([&] { return decoded().find(": listening a\n\n") != std::string::npos; }));
  CHECK(client.received().find("Content-Encoding: gzip\r\n") != std::string::npos);
  post(*server, "a", R"({"data":"one"})");
  CHECK(
      client.until_true([&] { return decoded().find("data: \"one\"\n\n") != std::string::npos; }));
  CHECK(client.until_true([&] { return decoded().find(": keep-alive\n\n") != std::string::npos; }));
  CHECK(decoded().find("retry: 5000\n\n: listening a\n\n") == 0);
}

TEST_CASE("topics 11 to 14: publishing and listening have tokens of their own",
          "[server][topics]") {
  const SystemClock clock;
  const bool publish = GENERATE(true, false);
  const bool listen = GENERATE(true, false);
  TopicsHttp topics;
  if (publish) topics.publish_token = "pub";
  if (listen) topics.listen_token = "sub";
  const auto server = start(clock, topics);
  const auto get_status = [&](const std::string& headers) {
    HttpClient client(server->address());
    client.send("GET /topics/a/events HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
    return client.until("\r\n\r\n").substr(9, 3);
  };
  const auto post_status = [&](const std::string& headers) {
    return post(*server, "a", R"({"data":1})", headers).substr(9, 3);
  };
  const std::string pub = "Authorization: Bearer pub\r\n";
  const std::string sub = "Authorization: Bearer sub\r\n";
  CHECK(post_status("") == (publish ? "401" : "200"));
  CHECK(post_status(sub) == (publish ? "401" : "200"));
  CHECK(post_status(pub) == "200");
  CHECK(get_status("") == (listen ? "401" : "200"));
  CHECK(get_status(pub) == (listen ? "401" : "200"));
  CHECK(get_status(sub) == "200");
  if (!publish) return;
  const std::string refused = post(*server, "a", R"({"data":1})");
  CHECK(refused.find("WWW-Authenticate: Bearer\r\n") != std::string::npos);
  CHECK(refused.find("\r\n\r\npublish requires valid token\n") != std::string::npos);
}

TEST_CASE("topics: subscribers are told when the server stops", "[server][topics]") {
  const SystemClock clock;
  const auto server = start(clock);
  Listener one(*server, "a");
  server->stop();
  CHECK(one.client.until_closed().find(": server shutting down\n\n") != std::string::npos);
}

TEST_CASE("topics: a full ring loses its oldest, is counted, and its subscribers are told",
          "[server][topics]") {
  TopicTable table({.ring_capacity = 4});
  const WallTime now = from_unix_us(1'700'000'000'000'000);
  table.join(topic_target("busy"), "busy", false, now);
  table.join(topic_target("calm"), "calm", false, now);
  for (int n = 0; n < 6; ++n) table.receive("busy", std::to_string(n), now);
  table.receive("calm", "\"c\"", now);
  table.receive("nobody", "1", now);
  const auto waiting = nlohmann::json::parse(table.health_json({}, 10, now));
  CHECK(waiting["totals"]["dispatch_depth"] == 5);
  CHECK(waiting["totals"]["missed_messages"] == 2);
  std::vector<std::string> frames;
  while (const EventRef event = table.next()) frames.emplace_back(event->content().frame);
  // Each topic in its turn.
  CHECK(frames == std::vector<std::string>{": missed 2 messages\n\n" + topic_frame("2"),
                                           topic_frame("\"c\""), topic_frame("3"), topic_frame("4"),
                                           topic_frame("5")});
  const auto sent = nlohmann::json::parse(table.health_json({}, 10, now));
  CHECK(sent["totals"]["dispatch_depth"] == 0);
  CHECK(sent["totals"]["delivered_frames"] == 5);
}

TEST_CASE("topics: those that nobody uses are forgotten", "[server][topics]") {
  TopicTable board({.idle_timeout = std::chrono::minutes(10)});
  const WallTime start = from_unix_us(1'700'000'000'000'000);
  board.join(topic_target("kept"), "kept", false, start);
  board.published("gone", start);
  board.forget_idle(start + std::chrono::minutes(9));
  CHECK(nlohmann::json::parse(board.health_json({}, 10, start))["topics"].size() == 2);
  board.forget_idle(start + std::chrono::minutes(10));
  const auto health = nlohmann::json::parse(board.health_json({}, 10, start));
  REQUIRE(health["topics"].size() == 1);
  CHECK(health["topics"][0]["topic"] == "kept");
  CHECK(nlohmann::json::parse(board.health_json({}, 0, start))["topics"].empty());
}
