// The server over HTTP/2: what HTTP/1.1 has, a hundred streams on one connection, and none of them
// at the cost of another.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "server/http2_connection.h"
#include "server/http_client.h"
#include "server/server.h"

using namespace rt;
using namespace rt::server;
using namespace rt::test;

namespace {

std::unique_ptr<Server> start(const SystemClock& clock, ServerOptions options = {}) {
  options.listen = *io::parse_address("127.0.0.1:0");
  options.connections_max = 2'000;
  options.accepts_publish = true;
  auto server = Server::start(std::move(options), clock);
  if (!server) FAIL(server.error().text);
  return std::move(*server);
}

// Publishes a row over HTTP/2 and returns its position.
std::string publish(const Server& server, const std::string& row) {
  Http2Connection connection(server.address());
  const auto id = connection.post("/v1/runs", row);
  REQUIRE(connection.until([&] { return connection.client.answer(id).closed; }));
  REQUIRE(connection.client.answer(id).status == 200);
  return nlohmann::json::parse(connection.client.answer(id).body)["position"];
}

const std::string kStream = "/v1/runs/stream";
const std::string kOneRun = "/v1/runs/stream?filter=%7B%22run_id%22%3A%22a%22%7D";

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

}  // namespace

TEST_CASE("server http2: a subscriber gets the current row and then each change",
          "[server][http2]") {
  SystemClock clock;
  const auto server = start(clock);
  publish(*server, R"({"id":"a","status":"1"})");
  Http2Connection connection(server->address());
  const auto id = connection.get(kOneRun);
  REQUIRE(connection.until_body(id, "\"status\":\"1\""));
  const auto& answer = connection.client.answer(id);
  CHECK(answer.status == 200);
  CHECK(answer.headers.at("content-type") == "text/event-stream");
  CHECK(answer.headers.at("x-accel-buffering") == "no");
  CHECK(answer.headers.count("connection") == 0);
  const std::string position = publish(*server, R"({"id":"a","status":"2"})");
  publish(*server, R"({"id":"b"})");
  REQUIRE(connection.until_body(id, "id: " + position + "\nevent: delta\ndata: {\"id\":\"a\""));
  CHECK(answer.body.find("\"b\"") == std::string::npos);
  CHECK_FALSE(answer.closed);
}

TEST_CASE("server http2: with Last-Event-ID exactly what followed comes", "[server][http2]") {
  SystemClock clock;
  const auto server = start(clock);
  publish(*server, R"({"id":"a","status":"1"})");
  const std::string seen = publish(*server, R"({"id":"a","status":"2"})");
  publish(*server, R"({"id":"a","status":"3"})");
  publish(*server, R"({"id":"a","status":"4"})");
  Http2Connection connection(server->address());
  const auto id = connection.get(kStream, {{"last-event-id", seen}});
  REQUIRE(connection.until_body(id, "\"status\":\"4\""));
  CHECK(count(connection.client.answer(id).body, "event: ") == 2);
}

TEST_CASE("server http2: requests are answered as over HTTP/1.1, on one connection",
          "[server][http2]") {
  SystemClock clock;
  const auto server = start(clock);
  Http2Connection connection(server->address());
  Http2Client& client = connection.client;
  const auto health = connection.get("/health");
  const auto head = client.request(Http2Client::head("HEAD", "/health"));
  const auto nowhere = connection.get("/nowhere");
  const auto method = connection.post(kStream, "x");
  const auto filter = connection.get(kStream + "?filter=7");
  const auto broken = connection.get("/%zz");
  const auto row = connection.post("/v1/runs", "{\"id\":\"a\"}");
  const auto huge = connection.post("/v1/runs", std::string(2'000'000, 'x'));
  for (const auto id : {health, head, nowhere, method, filter, broken, row, huge}) {
    CAPTURE(id);
    REQUIRE(connection.until([&] { return client.answer(id).closed; }));
  }
  CHECK(client.answer(health).status == 200);
  CHECK(nlohmann::json::parse(client.answer(health).body)["connections"] == 1);
  CHECK(client.answer(head).status == 200);
  CHECK(client.answer(head).body.empty());
  CHECK(client.answer(nowhere).status == 404);
  CHECK(client.answer(method).status == 405);
  CHECK(client.answer(method).headers.at("allow") == "GET");
  CHECK(client.answer(filter).status == 400);
  CHECK(client.answer(broken).status == 400);
  CHECK(client.answer(row).status == 200);
  CHECK(client.answer(huge).status == 413);
}

TEST_CASE("server http2: a body whose length was not told is taken up to the limit",
          "[server][http2]") {
  SystemClock clock;
  const auto server = start(clock);
  Http2Connection connection(server->address());
  Http2Client& client = connection.client;
  const auto post = [&](const std::string& body, Http2Client::Fields more = {}) {
    Http2Client::Fields fields = Http2Client::head("POST", "/v1/runs");
    fields.insert(fields.end(), more.begin(), more.end());
    const auto id = client.request(fields, body);
    connection.flush();
    return id;
  };
  const std::string large = "{\"id\":\"large\",\"data\":\"" + std::string(900'000, 'x') + "\"}";
  const auto row = post(R"({"id":"a"})");
  const auto in_parts = post(large);
  const auto too_large = post(std::string(2'000'000, ' '));
  const auto expected = post(R"({"id":"b"})", {{"expect", "100-continue"}});
  const auto unknown = post(R"({"id":"c"})", {{"expect", "more"}});
  const auto after = connection.get("/health");
  for (const auto id : {row, in_parts, too_large, expected, unknown, after}) {
    CAPTURE(id);
    REQUIRE(connection.until([&] { return client.answer(id).closed; }));
  }
  CHECK(client.answer(row).status == 200);
  CHECK_FALSE(client.answer(row).invited);
  CHECK(client.answer(in_parts).status == 200);
  CHECK(client.answer(too_large).status == 413);
  CHECK(client.answer(expected).invited);
  CHECK(client.answer(expected).status == 200);
  CHECK_FALSE(client.answer(unknown).invited);
  CHECK(client.answer(unknown).status == 417);
  CHECK(client.answer(after).status == 200);
}

TEST_CASE("server http2: a hundred streams of one connection each get a broadcast",
          "[server][http2]") {
  SystemClock clock;
  const auto server = start(clock);
  Http2Connection connection(server->address());
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 100; ++i) streams.push_back(connection.get(kStream));
  for (const auto id : streams) REQUIRE(connection.until_body(id, ": caught up"));
  CHECK(server->counters().subscribers == 100);
  CHECK(server->counters().connections == 1);
  for (int n = 1; n <= 20; ++n) publish(*server, "{\"id\":\"r" + std::to_string(n) + "\"}");
  for (const auto id : streams) {
    REQUIRE(connection.until_body(id, "\"r20\""));
    CHECK(count(connection.client.answer(id).body, "event: ") == 20);
  }
  connection.client.cancel(streams.front());
  connection.flush();
  publish(*server, R"({"id":"last"})");
  for (std::size_t i = 1; i < streams.size(); ++i) {
    REQUIRE(connection.until_body(streams[i], "\"last\""));
  }
  CHECK(connection.client.answer(streams.front()).body.find("\"last\"") == std::string::npos);
  CHECK(server->counters().subscribers == 99);
}

TEST_CASE("server http2: so many streams on one connection, and so many on all of them",
          "[server][http2]") {
  SystemClock clock;
  ServerOptions options;
  options.http2_streams_max = 3;
  options.streams_max = 4;
  const auto server = start(clock, std::move(options));
  const auto follows = [](Http2Connection& connection, std::int32_t id) {
    return connection.until([&] { return connection.client.answer(id).status == 200; });
  };
  auto first = std::make_unique<Http2Connection>(server->address());
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(first->get(kStream));
  for (const auto id : ids) REQUIRE(follows(*first, id));
  CHECK(first->client.streams_max() == 3);
  Http2Connection second(server->address());
  REQUIRE(follows(second, second.get(kStream)));
  const auto refused = second.get(kStream);
  REQUIRE(second.until([&] { return second.client.answer(refused).closed; }));
  CHECK(second.client.answer(refused).status == 503);
  CHECK(second.client.answer(refused).body == "no room for another stream\n");
  CHECK(server->counters().refused_full == 1);
  CHECK(server->counters().streams == 4);
  // Sockets are counted apart: who has no streams is served.
  HttpClient plain(server->address());
  plain.get("/health", "Connection: close\r\n");
  CHECK(plain.until_closed().find("\"http2_streams\":4,") != std::string::npos);
  first.reset();
  while (server->counters().streams > 1) std::this_thread::yield();
  REQUIRE(follows(second, second.get(kStream)));
}

TEST_CASE("server http2: one that reads nothing is told, loses its stream, and delays nobody",
          "[server][http2]") {
  SystemClock clock;
  const auto server = start(clock);
  Http2Connection connection(server->address(), {.window = 20'000, .reads = false});
  Http2Client& client = connection.client;
  const auto stalled = connection.get(kStream);
  const auto other = connection.get(kStream);
  REQUIRE(connection.until_body(stalled, ": caught up"));
  REQUIRE(connection.until_body(other, ": caught up"));
  const std::string pad(1000, 'p');
  for (int n = 1; n <= 150; ++n) {
    const std::string name = "r" + std::to_string(n);
    publish(*server, "{\"id\":\"" + name + "\",\"data\":\"" + pad + "\"}");
    client.open_window(other, 4000);
    connection.flush();
    REQUIRE(connection.until_body(other, "\"" + name + "\""));
  }
  CHECK(count(client.answer(other).body, "event: ") == 150);
  CHECK(client.answer(stalled).body.size() == 20'000);
  CHECK(server->counters().slow_disconnects == 1);
  CHECK(server->counters().subscribers == 1);
  // It reads on within the time it has: whole frames, the reason, the end.
  client.open_window(stalled, 1 << 20);
  connection.flush();
  REQUIRE(connection.until([&] { return client.answer(stalled).closed; }));
  CHECK(client.answer(stalled).error_code == NGHTTP2_NO_ERROR);
  CHECK(client.answer(stalled).body.find(": closed: too slow") != std::string::npos);
  publish(*server, R"({"id":"after"})");
  client.open_window(other, 4000);
  connection.flush();
  CHECK(connection.until_body(other, "\"after\""));
}

TEST_CASE("server http2: a connection that reads nothing is bounded, others go on",
          "[server][http2]") {
  SystemClock clock;
  const auto server = start(clock);
  Http2Connection deaf(server->address(), {.window = 1 << 30, .connection_window = 1 << 30}, 4096);
  for (int i = 0; i < 20; ++i) deaf.get(kStream);
  Http2Connection other(server->address());
  const auto id = other.get(kStream);
  REQUIRE(other.until_body(id, ": caught up"));
  REQUIRE(deaf.until_body(39, ": caught up"));
  const std::string pad(4000, 'p');
  for (int n = 1; server->counters().slow_disconnects < 20; ++n) {
    REQUIRE(n < 20'000);
    const std::string name = "r" + std::to_string(n);
    publish(*server, "{\"id\":\"" + name + "\",\"data\":\"" + pad + "\"}");
    REQUIRE(other.until_body(id, "\"" + name + "\""));
  }
  CHECK(server->counters().subscribers == 1);
}

TEST_CASE(
    "server http2: a preface is known at every split point, another method is not taken for it",
    "[server][http2]") {
  SystemClock clock;
  const auto server = start(clock);
  for (const std::size_t at : {1U, 2U, 3U, 4U, 10U, 24U}) {
    CAPTURE(at);
    Http2Connection connection(server->address());
    const auto id = connection.client.get("/health");
    const std::string wire = connection.client.take_output();
    connection.send(wire.substr(0, at));
    HttpClient(server->address()).get("/health");  // the server turns meanwhile
    connection.send(wire.substr(at));
    REQUIRE(connection.until([&] { return connection.client.answer(id).closed; }));
    CHECK(connection.client.answer(id).status == 200);
  }
  HttpClient post(server->address());
  post.send("P");
  HttpClient get(server->address());
  get.get("/health");
  get.until("}\n");
  post.send("OST /v1/runs HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{\"id\":\"a\"}");
  CHECK(post.until("}\n").find("HTTP/1.1 200 OK") == 0);
}

TEST_CASE("server http2: a connection that breaks the protocol is closed and counted",
          "[server][http2]") {
  SystemClock clock;
  const auto server = start(clock);
  for (const std::string& garbage :
       {std::string(http2::kPreface) + "GET / HTTP/1.1\r\n\r\n",
        std::string("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"), std::string("PRI \0\0\0\0", 8)}) {
    const std::uint64_t before = server->counters().sessions_broken;
    HttpClient client(server->address());
    client.send(garbage);
    client.until_closed();
    CHECK(client.closed());
    CHECK(server->counters().sessions_broken == before + 1);
  }
  Http2Connection connection(server->address());
  const auto id = connection.get(kStream);
  REQUIRE(connection.until_body(id, ": caught up"));
  connection.send("garbage amid frames, long enough for a head of one");
  CHECK(connection.until_closed());
  CHECK(connection.client.went_away());
  CHECK(server->counters().subscribers == 0);
}

TEST_CASE("server http2: streams get keepalives, and a stop ends them with a goodbye",
          "[server][http2]") {
  SystemClock clock;
  ServerOptions options;
  options.keepalive_every = std::chrono::milliseconds(100);
  const auto server = start(clock, std::move(options));
  Http2Connection connection(server->address());
  const auto id = connection.get(kStream);
  const auto other = connection.get(kOneRun);
  REQUIRE(connection.until_body(id, ": keepalive\n\n"));
  REQUIRE(connection.until_body(other, ": keepalive\n\n"));
  server->stop();
  CHECK(connection.until_closed());
  for (const auto stream : {id, other}) {
    const auto& answer = connection.client.answer(stream);
    CHECK(answer.body.find(": server shutting down\n\n") != std::string::npos);
    CHECK(answer.closed);
    CHECK(answer.error_code == NGHTTP2_NO_ERROR);
  }
  CHECK(connection.client.went_away());
  CHECK(connection.client.goaway_code() == NGHTTP2_NO_ERROR);
}
