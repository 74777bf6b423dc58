// A server that is told to end, on a real PostgreSQL: what it accepted reaches its subscribers, who
// are told that it ends; nobody holds it up for longer than it was told.
#include <catch2/catch.hpp>
#include <csignal>
#include <mutex>
#include <set>
#include <thread>

#include "integration/topics_instance.h"

namespace rt::test {
namespace {

const std::string kGoodbye = ": server shutting down\n\n";

// The n of every message `{"n":<n>}` in an event stream, in order.
std::vector<int> numbers_in(const std::string& stream) {
  std::vector<int> numbers;
  for (auto at = stream.find("data: {\"n\":"); at != std::string::npos;
       at = stream.find("data: {\"n\":", at + 1)) {
    numbers.push_back(std::stoi(stream.substr(at + 11)));
  }
  return numbers;
}

TEST_CASE("drain: 200 messages, then SIGTERM: every subscriber has all 200 and a goodbye",
          "[drain]") {
  const PrivatePostgres postgres;
  const TopicsInstance server(postgres);
  std::vector<std::unique_ptr<HttpClient>> subscribers;
  for (int n = 0; n < 20; ++n) {
    subscribers.push_back(server.subscribe("t" + std::to_string(n % 2)));
  }
  HttpClient publisher(server.at());
  std::string requests;
  for (int n = 0; n < 200; ++n) {
    for (const std::string topic : {"t0", "t1"}) {
      const std::string body = "{\"data\":{\"n\":" + std::to_string(n) + "}}";
      requests += "POST /topics/" + topic +
                  "/events HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) +
                  "\r\n\r\n" + body;
    }
  }
  publisher.send(requests);
  std::size_t answers = 0;
  REQUIRE(publisher.until_true([&] {
    const std::string& all = publisher.received();
    answers = 0;
    for (auto at = all.find("HTTP/1.1 200 OK\r\n"); at != std::string::npos;
         at = all.find("HTTP/1.1 200 OK\r\n", at + 1)) {
      ++answers;
    }
    return answers == 400;
  }));
  server.tool->signal(SIGTERM);
  std::vector<int> expected;
  for (int n = 0; n < 200; ++n) expected.push_back(n);
  std::set<std::string> pauses;
  for (const auto& subscriber : subscribers) {
    const std::string& got = subscriber->until_closed();
    REQUIRE(subscriber->closed());
    CHECK(numbers_in(got) == expected);
    CHECK(got.ends_with(kGoodbye));
    const std::size_t at = got.rfind("retry: ");
    pauses.insert(got.substr(at, got.find('\n', at) - at));
  }
  CHECK(pauses.size() > 1);
  const Outcome end = server.tool->finish();
  CHECK(end.status == 0);
  INFO(end.err);
  CHECK(end.err.find("drained took_s=") != std::string::npos);
  CHECK(end.err.find("goodbyes=20 cut_off=0 unsent_events=0 unanswered=0 behind=none") !=
        std::string::npos);
}

TEST_CASE("drain: a message that was answered 200 while the server was told to end is delivered",
          "[drain]") {
  const PrivatePostgres postgres;
  const TopicsInstance server(postgres);
  const auto subscriber = server.subscribe("t");
  // Each publishes one message after the other, until it is refused or its connection ends.
  std::mutex mutex;
  std::set<int> taken;
  std::size_t refused = 0;
  std::vector<std::jthread> publishers;
  for (int first = 0; first < 8; ++first) {
    publishers.emplace_back([&, first] {
      HttpClient client(server.at());
      for (int n = first; n < 80'000; n += 8) {
        client.forget();
        client.post("/topics/t/events", "{\"data\":{\"n\":" + std::to_string(n) + "}}");
        const std::string answer = client.until("}\n");
        const std::lock_guard lock(mutex);
        if (status_code_of(answer) != "200") {
          const bool said = answer.find("publish error: server draining\n") != std::string::npos &&
                            answer.find("\r\nRetry-After: ") != std::string::npos;
          if (said) ++refused;
          return;
        }
        taken.insert(n);
      }
    });
  }
  REQUIRE(eventually(std::chrono::seconds(10), [&] {
    const std::lock_guard lock(mutex);
    return taken.size() > 300;
  }));
  server.tool->signal(SIGTERM);
  const std::string& got = subscriber->until_closed();
  publishers.clear();  // joins
  CHECK(got.ends_with(kGoodbye));
  const std::vector<int> numbers = numbers_in(got);
  const std::set<int> delivered(numbers.begin(), numbers.end());
  CHECK(delivered == taken);
  CHECK(numbers.size() == taken.size());  // none twice
  CHECK(refused <= 8);
  CHECK(server.tool->finish().status == 0);
}

// A subscriber that has stopped reading: its socket takes no more.
std::unique_ptr<HttpClient> stalled_subscriber(const TopicsInstance& server) {
  auto client = server.subscribe("t", "", 4096);
  const std::string big = '"' + std::string(7000, 'x') + '"';
  REQUIRE(eventually(std::chrono::seconds(10), [&] {
    if (server.health()["totals"]["pending_to_clients"] >= 4) return true;
    server.publish("t", big);
    return false;
  }));
  return client;
}

TEST_CASE("drain: who does not read is cut off when --drain is over, and the log says so",
          "[drain]") {
  const PrivatePostgres postgres;
  const TopicsInstance server(postgres, {"--drain", "1500ms", "--health-listen", "127.0.0.1:0"});
  const auto quick = server.subscribe("t");
  const auto health_at = *io::parse_address(server.logged("health:   http://"));
  const auto health = [&] {
    HttpClient client(health_at);
    client.get("/healthz", "Connection: close\r\n");
    return client.until_closed();
  };
  const auto stalled = server.subscribe("t", "", 4096);
  const std::string big = '"' + std::string(7000, 'x') + '"';
  REQUIRE(eventually(std::chrono::seconds(10), [&] {
    const std::string answer = health();
    const auto json = nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n")));
    if (json["totals"]["pending_to_clients"] >= 4) return true;
    server.publish("t", big);
    return false;
  }));
  const Duration took = time_of([&] {
    server.tool->signal(SIGTERM);
    CHECK(quick->until_closed().ends_with(kGoodbye));
    const std::string answer = health();
    CHECK(status_code_of(answer) == "503");
    CHECK(answer.find("\"status\":\"draining\"") != std::string::npos);
    const Outcome end = server.tool->finish();
    INFO(end.err);
    CHECK(end.status == 0);
    CHECK(end.err.find("\"not everything was drained\" took_s=1.") != std::string::npos);
    CHECK(end.err.find("goodbyes=2 cut_off=1 unsent_events=") != std::string::npos);
  });
  CHECK(took > std::chrono::milliseconds(1400));
  CHECK(took < std::chrono::seconds(6));
}

TEST_CASE("drain: a second SIGTERM ends it at once", "[drain]") {
  const PrivatePostgres postgres;
  const TopicsInstance server(postgres, {"--drain", "60s"});
  const auto stalled = stalled_subscriber(server);
  const auto quick = server.subscribe("t");
  server.tool->signal(SIGTERM);
  CHECK(quick->until_closed().ends_with(kGoodbye));
  const Duration took = time_of([&] {
    server.tool->signal(SIGTERM);
    const Outcome end = server.tool->finish();
    CHECK(end.status == 0);
    CHECK(end.err.find("cut_off=1") != std::string::npos);
  });
  CHECK(took < std::chrono::seconds(5));
}

TEST_CASE("drain: a database that is away holds it up for --drain and no longer", "[drain]") {
  PrivatePostgres postgres;
  const TopicsInstance server(postgres, {"--drain", "1s"});
  const auto subscriber = server.subscribe("t");
  CHECK(status_code_of(server.publish("t", "1")) == "200");
  subscriber->until("data: 1\n\n");
  postgres.kill_9();
  const Duration took = time_of([&] {
    server.tool->signal(SIGTERM);
    CHECK(subscriber->until_closed().ends_with(kGoodbye));
    CHECK(server.tool->finish().status == 0);
  });
  CHECK(took < std::chrono::seconds(8));
}

}  // namespace
}  // namespace rt::test
