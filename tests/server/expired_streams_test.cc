// A stream does not outlive the token that opened it: over HTTP/1.1 and HTTP/2, told or not yet
// begun, and nobody else's with it.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/text.h"
#include "server/http2_connection.h"
#include "server/http_client.h"
#include "server/jump_clock.h"
#include "server/server.h"
#include "server/telling_board.h"

using namespace rt;
using namespace rt::server;
using namespace rt::test;
using namespace std::chrono_literals;

namespace {

const std::string kExpired = ": closed: the token has expired\n\n";

// GET /stream?seconds=7 is a stream whose token ends that long after the clock's beginning;
// POST /stream is an event for all of them.
class TokenEndpoint final : public Endpoint {
 public:
  explicit TokenEndpoint(WallTime begin) : begin_(begin) {}
  Outcome on_request(const http1::RequestHead& head) const override {
    if (head.path != "/stream") return NotMine{};
    if (head.method == "POST") return BodyWanted{};
    Opening opening;
    opening.headers = "Content-Type: text/event-stream\r\n";
    opening.preamble = ": listening\n\n";
    opening.name = head.parameter("held").value_or("");
    if (const auto seconds = parse_decimal(head.parameter("seconds").value_or(""))) {
      opening.ends_at = begin_ + std::chrono::seconds(*seconds);
    }
    return opening;
  }
  Outcome on_body(const std::string&, std::string body) const override {
    return Question{.text = std::move(body)};
  }

 private:
  const WallTime begin_;
};

std::unique_ptr<Server> start(const Clock& clock) {
  ServerOptions options;
  options.listen = *io::parse_address("127.0.0.1:0");
  options.connections_max = 100;
  options.accepts_publish = true;
  SurfaceParts parts;
  parts.surface = Surface::realtime;
  parts.endpoint = std::make_shared<TokenEndpoint>(clock.wall());
  parts.board = std::make_unique<TellingBoard>();
  options.surfaces.push_back(std::move(parts));
  auto server = Server::start(std::move(options), clock);
  if (!server) FAIL(server.error().text);
  return std::move(*server);
}

// Tells this to all, again until they are so many: the board hears of a stream's end a moment after
// its client does.
bool reaches(const Server& server, std::size_t streams, const std::string& text) {
  const SystemClock clock;
  const Instant deadline = clock.now() + 10s;
  const std::string expected = std::to_string(streams) + " told\n";
  while (clock.now() < deadline) {
    HttpClient publisher(server.address());
    publisher.post("/stream", text);
    if (publisher.until(" told\n").ends_with("\r\n\r\n" + expected)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("expired streams: each ends when its token does, told, and no other with it",
          "[server]") {
  JumpClock clock;
  const auto server = start(clock);
  HttpClient short_one(server->address());
  HttpClient long_one(server->address());
  HttpClient without(server->address());
  short_one.get("/stream?seconds=10");
  long_one.get("/stream?seconds=20");
  without.get("/stream");
  for (HttpClient* each : {&short_one, &long_one, &without}) each->until(": listening\n\n");
  CHECK(reaches(*server, 3, "data: 1\n\n"));
  for (HttpClient* each : {&short_one, &long_one, &without}) each->until("data: 1\n\n");
  clock.jump(9s);
  CHECK(reaches(*server, 3, "data: 2\n\n"));
  CHECK(server->counters().expired_disconnects == 0);
  clock.jump(2s);
  const std::string& all = short_one.until_closed();
  CHECK(all.ends_with("data: 2\n\n" + kExpired));
  CHECK(server->counters().expired_disconnects == 1);
  CHECK(reaches(*server, 2, "data: 3\n\n"));
  clock.jump(10s);
  CHECK(long_one.until_closed().ends_with("data: 3\n\n" + kExpired));
  CHECK(reaches(*server, 1, "data: 4\n\n"));
  without.until("data: 4\n\n");
  HttpClient asks(server->address());
  asks.get("/health");
  const std::string& health = asks.until("}\n");
  CHECK(nlohmann::json::parse(
            health.substr(health.find("\r\n\r\n")))["totals"]["expired_disconnects"] == 2);
  asks.forget();
  asks.get("/metrics");
  CHECK(asks.until("process_start_time_seconds ").find("\nrt_expired_disconnects_total 2\n") !=
        std::string::npos);
}

TEST_CASE("expired streams: over HTTP/2 the stream ends, and its connection goes on",
          "[server][http2]") {
  JumpClock clock;
  const auto server = start(clock);
  Http2Connection connection(server->address());
  const auto first = connection.get("/stream?seconds=10");
  const auto second = connection.get("/stream?seconds=20");
  REQUIRE(connection.until_body(first, ": listening\n\n"));
  REQUIRE(connection.until_body(second, ": listening\n\n"));
  clock.jump(11s);
  REQUIRE(connection.until([&] { return connection.client.answer(first).closed; }));
  CHECK(connection.client.answer(first).body == ": listening\n\n" + kExpired);
  CHECK_FALSE(connection.client.answer(second).closed);
  CHECK(reaches(*server, 1, "data: 1\n\n"));
  REQUIRE(connection.until_body(second, "data: 1\n\n"));
}

TEST_CASE("expired streams: one that its board has not let begin is told and ends too",
          "[server]") {
  JumpClock clock;
  const auto server = start(clock);
  HttpClient held(server->address());
  held.get("/stream?seconds=10&held=1");
  HttpClient begun(server->address());
  begun.get("/stream?seconds=10");
  begun.until(": listening\n\n");
  while (server->counters().subscribers < 2) std::this_thread::yield();
  clock.jump(11s);
  const std::string& all = held.until_closed();
  CHECK(all.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(all.ends_with(": listening\n\n" + kExpired));
}

TEST_CASE("expired streams: who has gone before is not counted", "[server]") {
  JumpClock clock;
  const auto server = start(clock);
  {
    HttpClient gone(server->address());
    gone.get("/stream?seconds=10");
    gone.until(": listening\n\n");
  }
  while (server->counters().subscribers > 0) std::this_thread::yield();
  HttpClient stays(server->address());
  stays.get("/stream?seconds=10");
  stays.until(": listening\n\n");
  clock.jump(11s);
  CHECK(stays.until_closed().ends_with(kExpired));
  CHECK(server->counters().expired_disconnects == 1);
}
