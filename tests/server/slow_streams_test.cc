// Streams of HTTP/2 that do not read among others of the same connections: the window of each is
// its own, and so is what it is owed.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "integration/patience.h"
#include "server/http2_connection.h"
#include "server/http_client.h"
#include "server/jump_clock.h"
#include "server/slow_clients.h"
#include "server/topics_server.h"

using namespace rt;
using namespace rt::server;
using namespace rt::test;

namespace {

constexpr std::size_t kConnections = 10;
constexpr std::size_t kStreams = 100;  // of each connection; every tenth stalls
constexpr std::uint32_t kWindow = 20'000;
constexpr std::size_t kFrameMax = 7'100;

std::unique_ptr<Server> start(const Clock& clock) {
  ServerOptions options;
  options.connections_max = 1'000;
  return start_server(with_topics(std::move(options)), clock);
}

// A connection whose socket is always read. Nine of ten streams have room for all that may come;
// the others have the window they began with.
struct Mixed {
  explicit Mixed(const Server& server)
      : connection(server.address(),
                   {.window = kWindow, .reads = false, .connection_window = 1 << 29}) {
    for (std::size_t i = 0; i < kStreams; ++i) {
      const std::int32_t id = connection.get("/topics/t/events");
      const bool stalls = i % (kStreams * kConnections / kStalled) == 0;
      if (!stalls) connection.client.open_window(id, 1 << 29);
      (stalls ? stalled : fast).push_back(id);
    }
    connection.flush();
    for (const auto& ids : {stalled, fast}) {
      for (const std::int32_t id : ids) REQUIRE(connection.until_body(id, ": listening t\n\n"));
    }
  }

  // Each stream that reads has event n, and nothing else; their texts are forgotten.
  void take_event(std::size_t n) {
    for (const std::int32_t id : fast) {
      std::string& body = connection.client.answer(id).body;
      REQUIRE(connection.until(
          [&] { return body.find(mark(n)) != std::string::npos && body.ends_with("\n\n"); }));
      REQUIRE(numbers_in(body) == std::vector{n});
      body.clear();
    }
  }

  // A stream reads at last: whole frames from the first one on, the reason, the end.
  void read_out(std::int32_t id) {
    Http2Client& client = connection.client;
    client.open_window(id, 1 << 20);
    connection.flush();
    REQUIRE(connection.until([&] { return client.answer(id).closed; }));
    CHECK(client.answer(id).error_code == NGHTTP2_NO_ERROR);
    const std::string& body = client.answer(id).body;
    REQUIRE(body.ends_with("\n\n" + kTooSlow));
    CHECK(body.size() < kWindow + kFrameMax + kTooSlow.size());
    const auto numbers = numbers_in(body);
    REQUIRE_FALSE(numbers.empty());
    for (std::size_t i = 0; i < numbers.size(); ++i) REQUIRE(numbers[i] == i);
  }

  Http2Connection connection;
  std::vector<std::int32_t> fast;
  std::vector<std::int32_t> stalled;
};

using Connections = std::vector<std::unique_ptr<Mixed>>;

// To all that read, before it returns.
void publish(const Server& server, const Connections& connections, std::size_t n) {
  HttpClient publisher(server.address());
  publisher.post("/topics/t/events", "{\"data\":" + data_of(n) + "}");
  for (const auto& each : connections) each->take_event(n);
  REQUIRE(publisher.until("}\n").find("HTTP/1.1 200 OK") == 0);
}

}  // namespace

TEST_CASE("slow streams: a hundred that stall among a thousand delay none of their connections",
          "[server][slow][http2]") {
  JumpClock clock;
  const auto server = start(clock);
  Connections connections;
  for (std::size_t i = 0; i < kConnections; ++i) {
    connections.push_back(std::make_unique<Mixed>(*server));
  }
  REQUIRE(server->counters().subscribers == kFast + kStalled);
  std::size_t events = 0;
  for (; events < kEventsMax && server->counters().slow_disconnects < kStalled; ++events) {
    publish(*server, connections, events);
  }
  CHECK(server->counters().slow_disconnects == kStalled);
  // What each was owed in the end: its window, its backlog, and the event that was one too many.
  CHECK(events * padding(0).size() < kWindow + (64 << 10) + 2 * kFrameMax);
  REQUIRE(eventually(std::chrono::seconds(10),
                     [&] { return server->counters().subscribers == kFast; }));
  const auto health = nlohmann::json::parse(server->health());
  CHECK(health["totals"]["slow_disconnects"] == kStalled);
  CHECK(health["subscribers"] == kFast);
  CHECK(health["http2_streams"] == kFast + kStalled);  // who is to be told is still there
  for (const std::size_t end = events + 3; events < end; ++events) {
    publish(*server, connections, events);
  }
  for (const auto& each : connections) {
    for (std::size_t i = 1; i < each->stalled.size(); ++i) each->read_out(each->stalled[i]);
  }
  CHECK(eventually(std::chrono::seconds(10),
                   [&] { return server->counters().streams == kFast + kConnections; }));
  // One of each connection never reads: it has its time, and then its stream is over.
  clock.jump(std::chrono::seconds(6));
  for (const auto& each : connections) {
    const auto& answer = each->connection.client.answer(each->stalled.front());
    REQUIRE(each->connection.until([&] { return answer.closed; }));
    CHECK(answer.body.size() == kWindow);
  }
  publish(*server, connections, events);
  CHECK(eventually(std::chrono::seconds(10), [&] { return server->counters().streams == kFast; }));
  // The publisher's connection is gone as soon as the server has noticed.
  CHECK(eventually(std::chrono::seconds(10),
                   [&] { return server->counters().connections == kConnections; }));
}
