// A server among attackers: each of a list of raw inputs is answered or closed as it must be, the
// server serves others meanwhile, and what it keeps of them all is nothing.
#include <catch2/catch.hpp>
#include <thread>

#include "io/tls_files.h"
#include "server/hostile_requests.h"
#include "server/http_client.h"
#include "server/jump_clock.h"
#include "server/process_memory.h"
#include "server/topics_server.h"

using namespace rt;
using namespace rt::server;
using namespace rt::test;

namespace {

std::unique_ptr<Server> start(const Clock& clock) {
  ServerOptions options;
  options.connections_max = 2'000;
  return start_server(with_topics(std::move(options)), clock);
}

// "200 404": the statuses of the answers in `text`, whose bodies are as long as they say.
std::string statuses_in(std::string_view text, bool have_bodies) {
  std::string all;
  while (text.substr(0, 9) == "HTTP/1.1 ") {
    const std::string_view head = text.substr(0, text.find("\r\n\r\n"));
    if (!all.empty()) all += ' ';
    all += text.substr(9, 3);
    text.remove_prefix(std::min(text.size(), head.size() + 4));
    const std::size_t length = head.find("Content-Length: ");
    if (length == std::string_view::npos || !have_bodies) continue;
    const auto bytes = std::stoul(std::string(head.substr(length + 16, 10)));
    text.remove_prefix(std::min<std::size_t>(text.size(), bytes));
  }
  return all;
}

bool is_expected(const Hostile& request, const std::string& received) {
  if (request.expected == "*") return true;
  if (request.expected == "HEAD") {
    std::string all;
    for (int i = 0; i < 1000; ++i) all += i == 0 ? "200" : " 200";
    return statuses_in(received, false) == all;
  }
  const std::string got = statuses_in(received, true);
  std::string_view rest = request.expected;
  for (;;) {
    const std::size_t end = rest.find('|');
    if (got == rest.substr(0, end)) return true;
    if (end == std::string_view::npos) return false;
    rest.remove_prefix(end + 1);
  }
}

void send(HttpClient& client, const Hostile& request) {
  if (request.manner == Manner::bytewise) {
    for (const char& c : request.bytes) client.send({&c, 1});
  } else {
    client.send(request.bytes);
  }
  if (request.manner == Manner::half_closed) {
    if (request.expected == "200") client.until("\r\n\r\n");  // a stream has no other end
    client.shut();
  }
  if (request.manner == Manner::reset) client.reset();
}

void check_alive(const Server& server) {
  HttpClient client(server.address());
  client.get("/health", "Connection: close\r\n");
  REQUIRE(client.until_closed().find("HTTP/1.1 200 OK\r\n") == 0);
}

void meet(const Server& server, const Hostile& request) {
  INFO(request.name);
  HttpClient client(server.address());
  REQUIRE(client.connected());
  send(client, request);
  if (request.manner != Manner::reset) {
    const std::string& received = client.until_closed();
    CHECK(client.closed());
    INFO(received.substr(0, 200));
    CHECK(is_expected(request, received));
  }
  check_alive(server);
}

}  // namespace

TEST_CASE("hostile http: each input is answered or closed as it must be", "[server][hostile]") {
  JumpClock clock;
  const auto server = start(clock);
  const auto list = hostile_requests();
  REQUIRE(list.size() + unfinished_requests().size() >= 60);
  for (const Hostile& request : list) meet(*server, request);
}

TEST_CASE("hostile http: who does not finish a request ends with the time for it, not before",
          "[server][hostile]") {
  JumpClock clock;
  const auto server = start(clock);
  const auto list = unfinished_requests();
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (const Hostile& request : list) {
    clients.push_back(std::make_unique<HttpClient>(server->address()));
    send(*clients.back(), request);
    check_alive(*server);
  }
  while (server->counters().connections < list.size()) check_alive(*server);
  clock.jump(std::chrono::seconds(29));
  check_alive(*server);
  CHECK(server->counters().connections >= list.size() - 1);  // TLS may be told from HTTP at once
  clock.jump(std::chrono::seconds(2));
  for (std::size_t i = 0; i < list.size(); ++i) {
    INFO(list[i].name);
    const std::string& received = clients[i]->until_closed();
    CHECK(clients[i]->closed());
    INFO(received.substr(0, 200));
    CHECK(is_expected(list[i], received));
  }
}

TEST_CASE("hostile http: over TLS who does not finish the handshake ends with the time for it",
          "[server][hostile]") {
  const TlsFolder folder;
  JumpClock clock;
  ServerOptions options;
  options.listen = *io::parse_address("127.0.0.1:0");
  options.health_listen = *io::parse_address("127.0.0.1:0");
  options.connections_max = 2'000;
  options.accepts_publish = true;
  options.tls = *io::TlsContext::load(folder.make("server"));
  const auto server = Server::start(std::move(options), clock);
  REQUIRE(server);
  // Nothing; the beginning of a ClientHello of 512 bytes; the same, a byte at a time.
  const std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", 11);
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (const std::string& bytes : {std::string(), hello, hello}) {
    clients.push_back(std::make_unique<HttpClient>((*server)->address()));
    for (const char& c : bytes) clients.back()->send({&c, 1});
  }
  while ((*server)->counters().connections < clients.size()) std::this_thread::yield();
  clock.jump(std::chrono::seconds(29));
  HttpClient health(*(*server)->health_address());
  health.get("/health", "Connection: close\r\n");
  CHECK(health.until_closed().find("\"connections\":4,") != std::string::npos);
  clock.jump(std::chrono::seconds(2));
  for (const auto& client : clients) {
    CHECK(client->until_closed().empty());
    CHECK(client->closed());
  }
}

TEST_CASE("hostile http: nothing is kept of attackers", "[server][hostile]") {
  constexpr int kRoundsToWarm = 5;
  constexpr int kRounds = 20;
  // Of the allocator's own making: parts of pages that it cannot give back.
  constexpr std::size_t kGrowthMax = std::size_t{4} << 20;
  JumpClock clock;
  const auto server = start(clock);
  const auto list = hostile_requests();
  std::size_t before = 0;
  for (int round = 0; round < kRoundsToWarm + kRounds; ++round) {
    if (round == kRoundsToWarm) before = resident_bytes();
    for (const Hostile& request : list) {
      HttpClient client(server->address());
      send(client, request);
      if (request.manner != Manner::reset) client.until_closed();
    }
    clock.jump(std::chrono::seconds(31));
    check_alive(*server);
  }
  while (server->counters().connections > 1) check_alive(*server);
  const std::size_t after = resident_bytes();
  INFO("before " << before << " after " << after);
  if (kMemoryIsMeasured) CHECK(after < before + kGrowthMax);
}

TEST_CASE("hostile http: answers that a client does not take are not piled up",
          "[server][hostile]") {
  JumpClock clock;
  const auto server = start(clock);
  HttpClient client(server->address(), 4096);
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += "GET /health HTTP/1.1\r\nHost: t\r\n\r\n";
  // Each thousand answers are a megabyte; who takes none of them is closed.
  bool is_closed = false;
  for (int i = 0; i < 100 && !is_closed; ++i) {
    is_closed = !client.try_send(many);
    check_alive(*server);
  }
  CHECK(is_closed);
  while (server->counters().connections > 1) {
    clock.jump(std::chrono::seconds(31));
    check_alive(*server);
  }
}

TEST_CASE("hostile http: a thousand that say nothing are closed, others are served meanwhile",
          "[server][hostile]") {
  JumpClock clock;
  const auto server = start(clock);
  std::vector<std::unique_ptr<HttpClient>> silent;
  for (int i = 0; i < 1'000; ++i) {
    silent.push_back(std::make_unique<HttpClient>(server->address()));
    REQUIRE(silent.back()->connected());
  }
  // The kernel hands over a connection without a request when it is a second old.
  const HttpClient* const newest = silent.back().get();
  REQUIRE(newest->connected());
  const SystemClock real;
  const Instant deadline = real.now() + std::chrono::seconds(30);
  std::uint64_t others = 0;
  const auto silent_ones = [&] { return server->counters().accepted - others; };
  for (; silent_ones() < 1'000 && real.now() < deadline; ++others) check_alive(*server);
  REQUIRE(silent_ones() == 1'000);
  clock.jump(std::chrono::seconds(31));
  for (const auto& each : silent) {
    CHECK(each->until_closed().empty());
    REQUIRE(each->closed());
  }
  check_alive(*server);
}
