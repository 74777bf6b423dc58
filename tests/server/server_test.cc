#include "server/server.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "server/http_client.h"

using namespace rt;
using namespace rt::server;
using rt::test::HttpClient;

namespace {

std::unique_ptr<Server> start(const SystemClock& clock, ServerOptions options = {}) {
  options.listen = *io::parse_address("127.0.0.1:0");
  options.connections_max = 2'000;
  options.accepts_publish = true;
  auto server = Server::start(std::move(options), clock);
  if (!server) FAIL(server.error().text);
  return std::move(*server);
}

// Publishes a row and returns its position.
std::string publish(const Server& server, std::string_view row) {
  HttpClient client(server.address());
  client.post("/v1/runs", row);
  const std::string& answer = client.until("}\n");
  REQUIRE(answer.find("HTTP/1.1 200 OK") == 0);
  return nlohmann::json::parse(answer.substr(answer.find('{')))["position"];
}

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

}  // namespace

TEST_CASE("server: a subscriber gets the current row and then each change", "[server][http]") {
  SystemClock clock;
  const auto server = start(clock);
  publish(*server, R"({"id":"a","env_id":"e","tags":["x"],"data":{"n":1}})");
  publish(*server, R"({"id":"b"})");
  HttpClient client(server->address());
  client.get("/v1/runs/stream?filter=%7B%22run_id%22%3A%22a%22%7D");
  const std::string& first = client.until("\"updated_at\"");
  CHECK(first.find("HTTP/1.1 200 OK\r\n") == 0);
  CHECK(first.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(first.find("event: initial\ndata: {\"id\":\"a\",\"env_id\":\"e\",\"status\":\"PENDING\","
                   "\"tags\":[\"x\"],\"data\":{\"n\":1}") != std::string::npos);
  publish(*server, R"({"id":"b","status":"DONE"})");
  const std::string position = publish(*server, R"({"id":"a","status":"DONE"})");
  const std::string& second = client.until("event: delta");
  client.until("DONE");
  CHECK(
      second.find("id: " + position + "\nevent: delta\ndata: {\"id\":\"a\",\"status\":\"DONE\"") !=
      std::string::npos);
  CHECK(second.find("\"b\"") == std::string::npos);
}

TEST_CASE("server: with Last-Event-ID exactly what followed comes", "[server][http]") {
  SystemClock clock;
  const auto server = start(clock);
  publish(*server, R"({"id":"a","status":"1"})");
  const std::string seen = publish(*server, R"({"id":"a","status":"2"})");
  publish(*server, R"({"id":"a","status":"3"})");
  publish(*server, R"({"id":"a","status":"4"})");
  HttpClient client(server->address());
  client.get("/v1/runs/stream", "Last-Event-ID: " + seen + "\r\n");
  const std::string& text = client.until("\"status\":\"4\"");
  CHECK(count(text, "event: ") == 2);
  CHECK(text.find("\"status\":\"3\"") < text.find("\"status\":\"4\""));
}

TEST_CASE("server: an id that is not ours is answered with a comment and the current state",
          "[server][http]") {
  SystemClock clock;
  const auto server = start(clock);
  publish(*server, R"({"id":"a"})");
  for (const char* id : {"17", "0000000000000001-00000000", "0000000000000000-00000003"}) {
    CAPTURE(id);
    HttpClient client(server->address());
    client.get("/v1/runs/stream", std::string("Last-Event-ID: ") + id + "\r\n");
    const std::string& text = client.until("event: initial");
    CHECK(text.find("\n: ") < text.find("event: initial"));
    CHECK(text.find("sending the current state") != std::string::npos);
  }
}

TEST_CASE("server: who is ahead of this server is told so, and gets what follows its id",
          "[server][http]") {
  SystemClock clock;
  const auto server = start(clock);
  const std::string behind = publish(*server, R"({"id":"a","status":"1"})");
  auto place = *Position::parse(behind);
  place.lsn += 2;
  HttpClient client(server->address());
  client.get("/v1/runs/stream", "Last-Event-ID: " + place.text() + "\r\n");
  client.until(": this server has come to " + behind + " and is behind Last-Event-ID " +
               place.text() + "; what follows that is sent\n\n");
  std::string position;
  for (int status = 2; position <= place.text(); ++status) {
    position = publish(*server, R"({"id":"a","status":")" + std::to_string(status) + "\"}");
  }
  const std::string& text = client.until("id: " + position + "\nevent: delta");
  CHECK(count(text, "event: ") == 1);
}

TEST_CASE("server: a malformed filter is 400 with the reason, an unknown key is told",
          "[server][http]") {
  SystemClock clock;
  const auto server = start(clock);
  HttpClient bad(server->address());
  bad.get("/v1/runs/stream?filter=%7B%22tags%22%3A7%7D");
  const std::string& refused = bad.until_closed();
  CHECK(refused.find("HTTP/1.1 400 Bad Request\r\n") == 0);
  CHECK(refused.find("Invalid filter: \"tags\" must be an array") != std::string::npos);
  HttpClient odd(server->address());
  odd.get("/v1/runs/stream?filter=%7B%22runid%22%3A7%7D");
  CHECK(odd.until("\n\n").find(": ignored unknown filter key \"runid\"\n\n") != std::string::npos);
}

TEST_CASE("server: other paths and methods are refused as HTTP has it", "[server][http]") {
  SystemClock clock;
  const auto server = start(clock);
  const auto status_of = [&](const char* request) {
    HttpClient client(server->address());
    client.send(request);
    return client.until_closed().substr(9, 3);
  };
  CHECK(status_of("GET /nothing HTTP/1.1\r\nHost: t\r\n\r\n") == "404");
  CHECK(status_of("DELETE /v1/runs/stream HTTP/1.1\r\nHost: t\r\n\r\n") == "405");
  CHECK(status_of("POST /health HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n") == "405");
  CHECK(status_of("nonsense\r\n\r\n") == "400");
  CHECK(status_of("GET /health HTTP/1.1\r\n\r\n") == "400");  // no Host
  CHECK(status_of("POST /v1/runs HTTP/1.1\r\nHost: t\r\nContent-Length: 9999999\r\n\r\n") == "413");
}

TEST_CASE("server: health tells the state, and requests may follow one another", "[server][http]") {
  SystemClock clock;
  const auto server = start(clock);
  publish(*server, R"({"id":"a"})");
  HttpClient client(server->address());
  client.send("HEAD /health HTTP/1.1\r\nHost: t\r\n\r\nGET /health HTTP/1.1\r\nHost: t\r\n\r\n");
  const std::string& text = client.until("}\n");
  CHECK(count(text, "HTTP/1.1 200 OK") == 2);
  const auto health = nlohmann::json::parse(text.substr(text.find('{')));
  CHECK(health["status"] == "ok");
  CHECK(health["warm"] == true);
  CHECK(health["connections"].get<int>() >= 1);
}

TEST_CASE("server: bad rows are refused with a reason", "[server][http]") {
  SystemClock clock;
  const auto server = start(clock);
  HttpClient client(server->address());
  const auto answer = [&](const char* row, const char* end) {
    client.forget();
    client.post("/v1/runs", row);
    return client.until(end);
  };
  CHECK(answer("{", "}\n").find("HTTP/1.1 400") == 0);
  CHECK(answer(R"({"id":""})", "empty\n").find("\"id\" must be a string") != std::string::npos);
  CHECK(answer(R"({"id":"a","colour":1})", "\"colour\"\n").find("400") != std::string::npos);
  CHECK(answer(R"({"id":"nobody","deleted":true})", "\"nobody\"\n").find("404") !=
        std::string::npos);
}

TEST_CASE("server: keepalive comments come at the interval asked for", "[server][http]") {
  SystemClock clock;
  ServerOptions options;
  options.keepalive_every = std::chrono::milliseconds(100);
  const auto server = start(clock, std::move(options));
  HttpClient client(server->address());
  client.get("/v1/runs/stream");
  CHECK(client.until(": keepalive\n\n: keepalive\n\n").find(": keepalive\n\n: keepalive\n\n") !=
        std::string::npos);
}

TEST_CASE("server: a client that does not read is closed and told, and others get everything",
          "[server][http]") {
  SystemClock clock;
  const auto server = start(clock);
  HttpClient slow(server->address(), 4096);
  slow.get("/v1/runs/stream");
  HttpClient quick(server->address());
  quick.get("/v1/runs/stream");
  slow.until("\r\n\r\n");
  quick.until("\r\n\r\n");
  HttpClient publisher(server->address());
  const std::string padding(8'000, 'p');
  for (int i = 0; i < 400 && server->counters().slow_disconnects == 0; ++i) {
    const std::string n = std::to_string(i);
    publisher.forget();
    publisher.post("/v1/runs", R"({"id":"a","data":{"n":)" + n + R"(,"p":")" + padding + "\"}}");
    publisher.until("}\n");
    REQUIRE(quick.until("\"n\":" + n + ",").empty() == false);
  }
  CHECK(server->counters().slow_disconnects == 1);
  const std::string& rest = slow.until_closed();
  CHECK(slow.closed());
  CHECK(rest.size() < 1'000'000);  // what it was owed was bounded
  const std::string goodbye = ": closed: too slow, more than the allowed backlog was unsent\n\n";
  REQUIRE(rest.size() > goodbye.size());
  CHECK(rest.substr(rest.size() - goodbye.size()) == goodbye);
}

TEST_CASE("server: with a history the state and every position survive a restart",
          "[server][history]") {
  SystemClock clock;
  const auto folder =
      std::filesystem::temp_directory_path() / ("rt-history-" + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  const auto kept_in = [&](std::size_t ring_bytes) {
    ServerOptions options;
    options.history = folder.string();
    options.history_ring_bytes = ring_bytes;
    return options;
  };
  std::string seen;
  {
    const auto server = start(clock, kept_in(std::size_t{64} << 20));
    publish(*server, R"({"id":"a","status":"1"})");
    seen = publish(*server, R"({"id":"a","status":"2"})");
    publish(*server, R"({"id":"a","status":"3"})");
    server->stop();
  }
  for (const std::size_t ring_bytes : {std::size_t{64} << 20, std::size_t{1}}) {  // memory, archive
    CAPTURE(ring_bytes);
    const auto server = start(clock, kept_in(ring_bytes));
    HttpClient client(server->address());
    client.get("/v1/runs/stream", "Last-Event-ID: " + seen + "\r\n");
    const std::string& text = client.until("\"status\":\"3\"");
    CHECK(count(text, "event: delta") == 1);
    CHECK(count(text, "event: initial") == 0);
    CHECK(text.find("sending the current state") == std::string::npos);
    server->stop();
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("server: a port in use is one clear error", "[server]") {
  SystemClock clock;
  const auto server = start(clock);
  ServerOptions options;
  options.listen = server->address();
  const auto second = Server::start(std::move(options), clock);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Code::limit);
  CHECK(second.error().text.find("cannot listen on 127.0.0.1") == 0);
}

TEST_CASE("server: subscribers are told when it stops", "[server][http]") {
  SystemClock clock;
  const auto server = start(clock);
  HttpClient client(server->address());
  client.get("/v1/runs/stream");
  client.until("\r\n\r\n");
  server->stop();
  const std::string& text = client.until_closed();
  CHECK(text.find("retry: ") != std::string::npos);
  CHECK(text.find(": server shutting down\n\n") != std::string::npos);
}
