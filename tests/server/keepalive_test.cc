// Keepalives are spread over their interval: a server with many streams never speaks to all of them
// at once, also when all came at once.
#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "server/http_client.h"
#include "server/jump_clock.h"
#include "server/server.h"

using namespace rt;
using namespace rt::server;
using namespace rt::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kStreams = 40;
constexpr auto kEvery = 2s;
constexpr auto kTick = 100ms;
constexpr std::size_t kTicks = kEvery / kTick;

std::size_t keepalives_in(const std::string& text) {
  std::size_t count = 0;
  for (auto at = text.find(": keepalive\n\n"); at != std::string::npos;
       at = text.find(": keepalive\n\n", at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("keepalives: of streams that came together each tick serves an equal share", "[server]") {
  JumpClock clock;
  ServerOptions options;
  options.listen = *io::parse_address("127.0.0.1:0");
  options.connections_max = 200;
  options.shards = 1;
  options.accepts_publish = true;
  options.keepalive_every = kEvery;
  const auto server = Server::start(std::move(options), clock);
  REQUIRE(server);
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (std::size_t i = 0; i < kStreams; ++i) {
    clients.push_back(std::make_unique<HttpClient>((*server)->address()));
    clients.back()->get("/v1/runs/stream");
  }
  for (const auto& client : clients) client->until("\r\n\r\n");
  const auto total = [&] {
    std::size_t count = 0;
    for (const auto& client : clients) {
      client->take_what_is_there();
      count += keepalives_in(client->received());
    }
    return count;
  };
  const SystemClock real;
  const Instant patience = real.now() + 60s;
  // One interval: nobody gets two before everybody has one.
  for (std::size_t tick = 1; tick <= kTicks; ++tick) {
    clock.jump(kTick);
    while (total() < tick * kStreams / kTicks && real.now() < patience) std::this_thread::yield();
    CHECK(total() == tick * kStreams / kTicks);
  }
  for (const auto& client : clients) CHECK(keepalives_in(client->received()) == 1);
}
