// A server among clients that break HTTP/2 or wear it out, over real sockets: it serves others
// meanwhile, and what it keeps of them is nothing. What each input comes to is
// proto/http2_hostile_test.cc's affair.
#include <catch2/catch.hpp>

#include "proto/http2_frames.h"
#include "server/http_client.h"
#include "server/jump_clock.h"
#include "server/process_memory.h"
#include "server/server.h"

using namespace rt;
using namespace rt::server;
using namespace rt::test;
using namespace rt::test::frames;

namespace {

std::string head_of(const std::string& method, const std::string& path) {
  return literal(":method", method) + literal(":scheme", "http") + literal(":authority", "a") +
         literal(":path", path);
}

std::string repeated(int times, const std::string& text) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// Each a connection. All of them break the protocol or a limit of it.
std::vector<std::string> hostile_connections() {
  const std::string stream =
      kHello + frame(kHeaders, kEndStream | kEndHeaders, 1, head_of("GET", "/v1/runs/stream"));
  const std::string post = kHello + frame(kHeaders, kEndHeaders, 1, head_of("POST", "/v1/runs"));
  const std::string ping = frame(kPing, 0, 0, number(0, 8));
  std::string in_a_hurry = kHello;
  for (std::uint32_t id = 1; id < 3'000; id += 2) {
    in_a_hurry += get(id) + frame(kReset, 0, id, number(8, 4));
  }
  std::string too_many = kHello;
  for (std::uint32_t id = 1; id < 1'000; id += 2) {
    too_many += frame(kHeaders, kEndStream | kEndHeaders, id, head_of("GET", "/v1/runs/stream"));
  }
  too_many += get(0);
  const std::string bomb = kGetHead + std::string("\x40\x01x\x7F\xA1\x1E", 6) +
                           std::string(4'000, 'b') + std::string(10'000, '\xBE');
  return {
      std::string(http2::kPreface) + get(1),
      std::string(http2::kPreface) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      kHello + std::string(200, '\0'),
      kHello + frame(kHeaders, kEndHeaders, 1, std::string(20'000, 'x')),
      kHello + get(2),
      kHello + get(0),
      kHello + frame(kData, 0, 1, "x"),
      kHello + frame(kReset, 0, 1, number(8, 4)),
      kHello + frame(kContinuation, kEndHeaders, 1, kGetHead),
      kHello + frame(kHeaders, kEndStream, 1, kGetHead) + ping,
      kHello + frame(kPing, 0, 0, std::string(7, 'p')),
      kHello + frame(kSettings, 0, 0, std::string(5, 's')),
      kHello + frame(kSettings, 0, 0, number(4, 2) + number(0x80000000, 4)),
      kHello + frame(kWindowUpdate, 0, 0, number(0, 4)),
      kHello + frame(kWindowUpdate, 0, 0, number(0x7FFFFFFF, 4)),
      kHello + frame(kHeaders, kEndStream | kEndHeaders, 1, std::string(1, '\xFE')),
      kHello + frame(kHeaders, kEndStream | kEndHeaders, 1, bomb),
      kHello + frame(kHeaders, kEndStream, 1, kGetHead) +
          repeated(1'000, frame(kContinuation, 0, 1, literal("x", "y"))),
      kHello + repeated(2'000, ping),
      kHello + repeated(2'000, frame(kSettings, 0, 0)),
      post + repeated(2'000, frame(kData, 0, 1)),
      stream + repeated(2'000, frame(kPriority, 0, 1, number(0, 4) + number(1, 1))),
      stream + frame(kWindowUpdate, 0, 1, number(0x7FFFFFFF, 4)) + get(0),
      stream + ping.substr(0, 12) + std::string(64, '\xFF'),
      in_a_hurry,
      too_many,
  };
}

std::unique_ptr<Server> start(const Clock& clock) {
  ServerOptions options;
  options.listen = *io::parse_address("127.0.0.1:0");
  options.connections_max = 2'000;
  options.accepts_publish = true;
  auto server = Server::start(std::move(options), clock);
  if (!server) FAIL(server.error().text);
  return std::move(*server);
}

void check_alive(const Server& server) {
  HttpClient client(server.address());
  client.get("/health", "Connection: close\r\n");
  REQUIRE(client.until_closed().find("HTTP/1.1 200 OK\r\n") == 0);
}

}  // namespace

TEST_CASE("hostile http2: each connection is closed and counted, whole or a byte at a time",
          "[server][http2][hostile]") {
  JumpClock clock;
  const auto server = start(clock);
  const auto list = hostile_connections();
  for (std::size_t i = 0; i < list.size(); ++i) {
    for (const bool bytewise : {false, true}) {
      if (bytewise && list[i].size() > 5'000) continue;
      CAPTURE(i, bytewise);
      HttpClient client(server->address());
      const std::uint64_t broken = server->counters().sessions_broken;
      if (bytewise) {
        for (const char& c : list[i]) client.send({&c, 1});
      } else {
        client.send(list[i]);
      }
      client.until_closed();
      CHECK(client.closed());
      CHECK(server->counters().sessions_broken == broken + 1);
      check_alive(*server);
    }
  }
  CHECK(server->counters().streams == 0);
  CHECK(server->counters().subscribers == 0);
}

TEST_CASE("hostile http2: nothing is kept of attackers", "[server][http2][hostile]") {
  constexpr int kRoundsToWarm = 5;
  constexpr int kRounds = 20;
  // Of the allocator's own making: parts of pages that it cannot give back.
  constexpr std::size_t kGrowthMax = std::size_t{4} << 20;
  JumpClock clock;
  const auto server = start(clock);
  const auto list = hostile_connections();
  std::size_t before = 0;
  for (int round = 0; round < kRoundsToWarm + kRounds; ++round) {
    if (round == kRoundsToWarm) before = resident_bytes();
    for (const std::string& bytes : list) {
      HttpClient client(server->address());
      client.send(bytes);
      client.until_closed();
    }
    clock.jump(std::chrono::seconds(31));
    check_alive(*server);
  }
  while (server->counters().connections > 1) check_alive(*server);
  const std::size_t after = resident_bytes();
  INFO("before " << before << " after " << after);
  if (kMemoryIsMeasured) CHECK(after < before + kGrowthMax);
}
