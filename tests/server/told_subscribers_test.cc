// What a board tells one subscriber alone is limited as events are: who does not read it is told
// and closed, and nobody else waits.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "server/http_client.h"
#include "server/jump_clock.h"
#include "server/server.h"
#include "server/telling_board.h"

using namespace rt;
using namespace rt::server;
using namespace rt::test;

namespace {

class TellingEndpoint final : public Endpoint {
 public:
  explicit TellingEndpoint(StreamRules::WhenSlow when_slow) { rules_.when_slow = when_slow; }
  Outcome on_request(const http1::RequestHead& head) const override {
    if (head.path != "/told") return NotMine{};
    if (head.method == "POST") return BodyWanted{};
    Opening opening;
    opening.headers = "Content-Type: text/event-stream\r\n";
    opening.preamble = ": listening\n\n";
    return opening;
  }
  Outcome on_body(const std::string&, std::string body) const override {
    return Question{.text = std::move(body)};
  }
  const StreamRules& stream_rules() const override { return rules_; }

 private:
  StreamRules rules_;
};

std::unique_ptr<Server> start(const Clock& clock, StreamRules::WhenSlow when_slow) {
  ServerOptions options;
  options.listen = *io::parse_address("127.0.0.1:0");
  options.connections_max = 100;
  options.accepts_publish = true;
  SurfaceParts parts;
  parts.surface = Surface::realtime;
  parts.endpoint = std::make_shared<TellingEndpoint>(when_slow);
  parts.board = std::make_unique<TellingBoard>();
  options.surfaces.push_back(std::move(parts));
  auto server = Server::start(std::move(options), clock);
  if (!server) FAIL(server.error().text);
  return std::move(*server);
}

struct Told {
  explicit Told(const Server& server)
      : stalled(server.address(), 4096), quick(server.address()), publisher(server.address()) {
    for (HttpClient* client : {&stalled, &quick}) {
      client->get("/told");
      client->until(": listening\n\n");
    }
  }
  // Until `holds`; how many texts there were. Each has reached who reads.
  int tell_until(const std::function<bool()>& holds) {
    int n = 0;
    for (; n < 600 && !holds(); ++n) {
      publisher.forget();
      quick.forget();
      publisher.post("/told", "data: " + std::to_string(n) + std::string(7000, 'x') + "\n\n");
      REQUIRE(publisher.until("told\n").find("200 OK") != std::string::npos);
      REQUIRE(quick.until("x\n\n").find("x\n\n") != std::string::npos);
    }
    return n;
  }
  HttpClient stalled;
  HttpClient quick;
  HttpClient publisher;
};

}  // namespace

TEST_CASE("told subscribers: who leaves more than the backlog unread is told and closed",
          "[server][slow]") {
  const JumpClock clock;
  const auto server = start(clock, StreamRules::WhenSlow::close);
  Told told(*server);
  told.tell_until([&] { return server->counters().slow_disconnects == 1; });
  REQUIRE(server->counters().slow_disconnects == 1);
  const std::string& got = told.stalled.until_closed();
  CHECK(got.size() < 1'000'000);
  CHECK(got.find("x\n\n: closed: too slow, more than the allowed backlog was unsent\n\n") !=
        std::string::npos);
}

TEST_CASE("told subscribers: with the policy drop they miss what is too much, and are told",
          "[server][slow]") {
  const JumpClock clock;
  const auto server = start(clock, StreamRules::WhenSlow::drop);
  Told told(*server);
  told.tell_until([&] { return server->counters().events_dropped >= 3; });
  REQUIRE(server->counters().events_dropped >= 3);
  CHECK(server->counters().slow_disconnects == 0);
  const std::string& got = told.stalled.until(": missed ");
  CHECK(got.find(": missed ") != std::string::npos);
  server->stop();
  CHECK(told.stalled.until_closed().find(" events: too slow\n\n") != std::string::npos);
}
