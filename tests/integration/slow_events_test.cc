// Subscribers of events that do not read among a thousand, on a real Redis: the others wait for
// nobody, what the slow ones are owed is bounded, and they are told; what is counted is what came.
#include <catch2/catch.hpp>

#include "integration/events_server.h"
#include "server/slow_clients.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;

// Heartbeats are put off: nothing but events comes.
EventsServer serve(const PrivateRedis& redis, const std::string& when_slow) {
  return EventsServer(
      {"--redis", redis.url(), "--events-when-slow", when_slow, "--events-heartbeat", "1h"});
}

// Of one scope: those that do not read were there first.
struct Crowd {
  explicit Crowd(const EventsServer& server) {
    for (std::size_t i = 0; i < kStalled; ++i) {
      stalled.push_back(std::make_unique<EventsClient>(server, "gym", 1, 4096));
    }
    for (std::size_t i = 0; i < kFast; ++i) {
      fast.push_back(std::make_unique<EventsClient>(server, "gym", 1));
      fast.back()->raw().forget();
    }
  }
  std::vector<std::unique_ptr<EventsClient>> stalled, fast;
};

// The event, and nothing else, reaches all that read before this returns.
void publish(RedisConnection& redis, const Crowd& crowd, std::size_t n) {
  const std::string payload = R"({"event_type":"t","data":)" + data_of(n) + "}";
  REQUIRE(redis.command({"PUBLISH", "gym:1:a", payload}, "publish"));
  const std::string frame = "event: t\ndata: " + data_of(n) + "\n\n";
  for (const auto& each : crowd.fast) {
    HttpClient& client = each->raw();
    REQUIRE(client.until_true([&] { return client.received().size() >= frame.size(); }));
    REQUIRE((client.received() == frame));  // in brackets: a failure does not print them
    client.forget();
  }
}

// Until `counter` of /health's totals is at least so much; how many events that took.
std::size_t publish_until(const EventsServer& server, const PrivateRedis& redis, const Crowd& crowd,
                          const char* counter, std::size_t at_least) {
  RedisConnection publisher = redis.connect();
  std::size_t n = 0;
  for (; n < kEventsMax && server.health()["totals"][counter] < at_least; ++n) {
    publish(publisher, crowd, n);
  }
  return n;
}

// Ascending from the first event on; how many.
std::size_t count_in_order(const std::string& text) {
  const auto numbers = numbers_in(text);
  REQUIRE_FALSE(numbers.empty());
  REQUIRE(numbers.front() == 0);
  for (std::size_t i = 1; i < numbers.size(); ++i) REQUIRE(numbers[i] > numbers[i - 1]);
  return numbers.size();
}

TEST_CASE(
    "slow events: a hundred that stall among a thousand delay nobody, and are told why they "
    "are closed",
    "[slow_events]") {
  const PrivateRedis redis;
  const EventsServer server = serve(redis, "disconnect");
  const Crowd crowd(server);
  const std::size_t events = publish_until(server, redis, crowd, "slow_disconnects", kStalled);
  for (const auto& each : crowd.stalled) {
    const std::string& all = each->raw().until_closed();
    REQUIRE(each->raw().closed());
    CHECK(all.size() < kOwedMax);
    REQUIRE(all.ends_with("\n\n" + kTooSlow));
    const std::size_t came = count_in_order(all);
    CHECK(came < events);
    CHECK(numbers_in(all).back() == came - 1);  // none is missing before the end
  }
  REQUIRE(eventually(10s, [&] { return server.events_health()["subscribers"] == kFast; }));
  const auto health = server.health();
  const auto& surface = health["surfaces"]["events"];
  CHECK(health["subscribers"] == kFast);
  CHECK(health["totals"]["slow_disconnects"] == kStalled);
  CHECK(health["totals"]["events_dropped"] == 0);
  CHECK(surface["missed"] == kStalled);  // by each the event that was one too many
  CHECK(surface["received"] == events);
}

TEST_CASE(
    "slow events: a hundred that stall among a thousand delay nobody, and are told how many "
    "they missed",
    "[slow_events]") {
  const PrivateRedis redis;
  const EventsServer server = serve(redis, "drop");
  const Crowd crowd(server);
  // Ten by each, if the kernel holds as much for all of them: enough for each to miss one.
  const std::size_t events = publish_until(server, redis, crowd, "events_dropped", 10 * kStalled);
  std::size_t missed = 0;
  for (const auto& each : crowd.stalled) {
    const std::string& all = each->raw().until(" events: too slow\n\n");
    CHECK(all.size() < kOwedMax);
    const std::size_t note = all.find("\n\n: missed ");
    REQUIRE(note != std::string::npos);
    const std::size_t told = std::stoul(all.substr(note + 11));
    CHECK(told > 0);
    CHECK(count_in_order(all) + told == events);
    missed += told;
    each->raw().forget();
  }
  const auto health = server.health();
  const auto& surface = health["surfaces"]["events"];
  CHECK(health["subscribers"] == kFast + kStalled);
  CHECK(health["totals"]["slow_disconnects"] == 0);
  CHECK(health["totals"]["events_dropped"] == missed);
  CHECK(health["totals"]["events_sent"] == events * (kFast + kStalled) - missed);
  CHECK(surface["missed"] == kStalled);  // each began to, once
  CHECK(surface["received"] == events);
  // They read again, and are subscribers like the others.
  RedisConnection publisher = redis.connect();
  publish(publisher, crowd, events);
  for (const auto& each : crowd.stalled) {
    REQUIRE(each->raw().until(mark(events)).find(mark(events)) != std::string::npos);
  }
}

}  // namespace
}  // namespace rt::test
