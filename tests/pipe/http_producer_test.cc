#include "pipe/http_producer.h"

#include <catch2/catch.hpp>
#include <mutex>

#include "integration/scripted_server.h"

using rt::EventProducer;
using rt::EventText;
using rt::HttpProducer;
using rt::test::Peer;
using rt::test::ScriptedServer;
using namespace std::chrono_literals;

namespace {

// The keys of the requests that a server has read, in their order.
class Keys {
 public:
  // False: the client left, as the first one does, who only looks whether anybody is there.
  bool take(Peer& peer) {
    const std::string request = peer.read_request();
    if (request.empty()) return false;
    const std::string name = "\r\nIdempotency-Key: ";
    const std::size_t at = request.find(name);
    const std::lock_guard lock(mutex_);
    seen_.push_back(
        at == std::string::npos
            ? "none"
            : request.substr(at + name.size(), request.find("\r\n", at + 2) - at - name.size()));
    return true;
  }
  std::vector<std::string> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> seen_;
};

std::unique_ptr<HttpProducer> producer_for(const ScriptedServer& server, const rt::Clock& clock,
                                           const std::string& key_prefix) {
  rt::HttpProducerOptions options;
  options.host = "127.0.0.1";
  options.port = static_cast<std::uint16_t>(server.port());
  options.authority = "here";
  options.path = EventText("/{topic}", EventText::Spelling::path);
  options.body = EventText("{payload}", EventText::Spelling::json);
  options.connections = 1;
  options.key_prefix = key_prefix;
  auto opened = HttpProducer::open(std::move(options), clock);
  REQUIRE(opened);
  REQUIRE((*opened)->prepare(
      1, [](std::uint32_t) { return "t"; }, ""));
  return std::move(*opened);
}

// Turns until there are so many answers; `step` is done after each turn.
std::vector<EventProducer::Answer> answers_of(
    HttpProducer& producer, const rt::Clock& clock, std::size_t count,
    const std::function<void()>& step = [] {}) {
  std::vector<EventProducer::Answer> all;
  for (int turns = 0; turns < 1'000 && all.size() < count; ++turns) {
    std::vector<EventProducer::Answer> answers;  // a turn that has some already waits for nothing
    REQUIRE(producer.turn(clock.now() + 20ms, answers));
    all.insert(all.end(), answers.begin(), answers.end());
    step();
  }
  return all;
}

}  // namespace

TEST_CASE(
    "http producer: an event whose answer was lost is sent again with its key, before the next",
    "[http_producer]") {
  Keys keys;
  ScriptedServer server([&](Peer& peer, std::size_t) {
    if (!keys.take(peer)) return;
    if (keys.seen().size() <= 2) return peer.reset();
    peer.answer("200 OK", "", "");
  });
  const rt::SystemClock clock;
  const auto producer = producer_for(server, clock, "bench-");
  producer->send(7, 0, "1");
  producer->send(8, 0, "2");
  const auto answers = answers_of(*producer, clock, 2);
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].ticket == 7);
  CHECK(answers[0].accepted);
  CHECK(answers[0].retries == 2);
  CHECK(answers[1].ticket == 8);
  CHECK(answers[1].accepted);
  CHECK(answers[1].retries == 0);
  CHECK(keys.seen() == std::vector<std::string>{"bench-7", "bench-7", "bench-7", "bench-8"});
  CHECK(producer->first_failure().empty());
}

TEST_CASE("http producer: an answer that refuses is an answer: nothing is sent again",
          "[http_producer]") {
  Keys keys;
  ScriptedServer server([&](Peer& peer, std::size_t) {
    if (keys.take(peer)) peer.answer("503 Service Unavailable", "", "");
  });
  const rt::SystemClock clock;
  const auto producer = producer_for(server, clock, "bench-");
  producer->send(7, 0, "1");
  const auto answers = answers_of(*producer, clock, 1);
  REQUIRE(answers.size() == 1);
  CHECK_FALSE(answers[0].accepted);
  CHECK(answers[0].retries == 0);
  CHECK(producer->first_failure() == "answered 503");
}

TEST_CASE("http producer: without keys an event whose answer was lost is not sent again",
          "[http_producer]") {
  Keys keys;
  ScriptedServer server([&](Peer& peer, std::size_t) {
    if (keys.take(peer)) peer.reset();
  });
  const rt::SystemClock clock;
  const auto producer = producer_for(server, clock, "");
  producer->send(7, 0, "1");
  const auto answers = answers_of(*producer, clock, 1);
  REQUIRE(answers.size() == 1);
  CHECK_FALSE(answers[0].accepted);
  CHECK(answers[0].retries == 0);
  CHECK(keys.seen() == std::vector<std::string>{"none"});
}

TEST_CASE("http producer: an event that never gets an answer is given up after half a minute",
          "[http_producer]") {
  Keys keys;
  ScriptedServer server([&](Peer& peer, std::size_t) {
    if (keys.take(peer)) peer.reset();
  });
  rt::ManualClock clock;
  const rt::Instant begin = clock.now();
  const auto producer = producer_for(server, clock, "bench-");
  producer->send(7, 0, "1");
  const auto answers = answers_of(*producer, clock, 1, [&] { clock.advance(250ms); });
  REQUIRE(answers.size() == 1);
  CHECK_FALSE(answers[0].accepted);
  CHECK(answers[0].retries == keys.seen().size() - 1);
  CHECK(answers[0].retries > 3);
  CHECK(answers[0].at - begin >= 30s);
  CHECK(answers[0].at - begin < 62s);
  CHECK_FALSE(producer->first_failure().empty());
}
