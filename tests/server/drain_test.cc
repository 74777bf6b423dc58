// The way out of a server: what was accepted is delivered, everyone is told, nobody is waited for
// longer than said. The clock moves only when a test says so.
#include "server/drain.h"

#include <catch2/catch.hpp>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "archive/bodies.h"
#include "integration/patience.h"
#include "server/http2_connection.h"
#include "server/http_client.h"
#include "server/jump_clock.h"
#include "server/topics_server.h"

using namespace rt;
using namespace rt::server;
using namespace rt::test;
using namespace std::chrono_literals;

namespace {

// A database as a test drives it: messages leave when it lets them, and come back when it says so.
class ScriptedNotify {
 public:
  TopicsBoard::Options options() {
    TopicsBoard::Options options;
    options.send = [this](const std::string& topic, const std::string& data) -> Result<void> {
      allowed_.wait();
      return sent("topic_broadcast_0", R"({"topic":")" + topic + R"(","data":)" + data + "}");
    };
    options.echo = [this] { return sent("echo", ""); };
    options.echo_channel = "echo";
    options.links = [] { return TopicTable::Links{.listening = true, .notifying = true}; };
    return options;
  }
  void let_send() { may_send_.set_value(); }
  // What was sent so far comes back.
  void deliver(Server& server) {
    RecordBatch batch;
    {
      const std::lock_guard lock(mutex_);
      std::string body;
      for (const auto& [channel, payload] : sent_) {
        body.clear();
        archive::encode(body, archive::NotifyBody{channel, payload, 1});
        batch.append({RecordKind::notify, false, 0, 0, body});
      }
      sent_.clear();
    }
    struct Once final : Source {
      explicit Once(RecordBatch&& records) : batch(std::move(records)) {}
      Result<void> run(std::stop_token, const Take& take) override { return take(batch); }
      RecordBatch batch;
    } once(std::move(batch));
    REQUIRE(server.feed(Surface::topics, once, {}));
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return sent_.size();
  }

 private:
  Result<void> sent(const std::string& channel, const std::string& payload) {
    const std::lock_guard lock(mutex_);
    sent_.emplace_back(channel, payload);
    return {};
  }
  std::promise<void> may_send_;
  std::shared_future<void> allowed_ = may_send_.get_future().share();
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> sent_;
};

struct Served {
  explicit Served(TopicsBoard::Options board = {}, ServerOptions options = {}) {
    options.connections_max = 1'000;
    server = start_server(with_topics(std::move(options), std::move(board)), clock);
  }
  HttpClient subscriber(const std::string& topic) const {
    HttpClient client(server->address());
    client.get("/topics/" + topic + "/events");
    client.until(": listening " + topic + "\n\n");
    return client;
  }
  bool is_drained_soon() const {
    return eventually(10s, [this] { return server->is_drained(); });
  }

  JumpClock clock;
  std::unique_ptr<Server> server;
};

const std::string kGoodbye = ": server shutting down\n\n";

}  // namespace

TEST_CASE("drain: a message that the database still has to take and to bring back is delivered",
          "[server][drain]") {
  ScriptedNotify database;
  const Served served(database.options());
  HttpClient subscriber = served.subscriber("t");
  HttpClient publisher(served.server->address());
  HttpClient other(served.server->address());
  publisher.post("/topics/t/events", R"({"data":1})");
  other.get("/health");
  REQUIRE(other.until("}\n").find("HTTP/1.1 200 ") == 0);
  const auto asked = [&] {
    other.forget();
    other.get("/healthz");
    return other.until("}\n");
  };
  REQUIRE(eventually(10s, [&] { return asked().find("\"published\":1") != std::string::npos; }));
  served.server->begin_drain(10s);
  // Once it drains: new connections are not taken, health says why, nothing new is published.
  REQUIRE(eventually(10s, [&] { return asked().find("HTTP/1.1 503 ") == 0; }));
  CHECK(other.received().find("\"status\":\"draining\"") != std::string::npos);
  other.forget();
  other.post("/topics/t/events", R"({"data":"too late"})");
  const std::string& refused = other.until_closed();
  CHECK(refused.find("HTTP/1.1 503 Service Unavailable\r\n") == 0);
  CHECK(refused.find("\r\nRetry-After: ") != std::string::npos);
  CHECK(refused.find("\r\n\r\npublish error: server draining\n") != std::string::npos);
  CHECK_FALSE(HttpClient(served.server->address()).connected());

  CHECK_FALSE(served.server->is_drained());
  database.let_send();
  CHECK(publisher.until("}\n").find("HTTP/1.1 200 OK\r\n") == 0);
  REQUIRE(eventually(10s, [&] { return database.count() == 2; }));  // and the echo
  CHECK_FALSE(served.server->is_drained());
  database.deliver(*served.server);
  const std::string& got = subscriber.until_closed();
  CHECK(got.find("event: message\ndata: 1\n\nretry: ") != std::string::npos);
  CHECK(got.ends_with(kGoodbye));
  CHECK(served.is_drained_soon());
  const DrainReport report = served.server->drain_report();
  CHECK(report.is_complete());
  CHECK(report.goodbyes == 1);
}

TEST_CASE("drain: a message that does not come back in time is reported, and nobody waits longer",
          "[server][drain]") {
  ScriptedNotify database;
  Served served(database.options());
  HttpClient subscriber = served.subscriber("t");
  database.let_send();
  HttpClient publisher(served.server->address());
  publisher.post("/topics/t/events", R"({"data":1})");
  REQUIRE(publisher.until("}\n").find("HTTP/1.1 200 OK\r\n") == 0);
  served.server->begin_drain(5s);
  REQUIRE(eventually(10s, [&] { return database.count() == 2; }));
  CHECK_FALSE(served.server->is_drained());
  served.clock.jump(5s);
  CHECK(subscriber.until_closed().ends_with(kGoodbye));
  CHECK(served.is_drained_soon());
  const DrainReport report = served.server->drain_report();
  CHECK_FALSE(report.is_complete());
  CHECK(report.text() == "goodbyes=1 cut_off=0 unsent_events=0 unanswered=0 behind=topics");
}

TEST_CASE("drain: a request whose answer is not there in time is answered 503", "[server][drain]") {
  ScriptedNotify database;
  Served served(database.options());
  HttpClient publisher(served.server->address());
  publisher.post("/topics/t/events", R"({"data":1})");
  HttpClient other(served.server->address());
  REQUIRE(eventually(10s, [&] {
    other.forget();
    other.get("/healthz");
    return other.until("}\n").find("\"published\":1") != std::string::npos;
  }));
  served.server->begin_drain(1s);
  served.clock.jump(1s);
  CHECK(publisher.until_closed().find("HTTP/1.1 503 ") == 0);
  CHECK(served.is_drained_soon());
  CHECK(served.server->drain_report().unanswered == 1);
  database.let_send();
}

TEST_CASE("drain: who does not read holds up nobody, and is cut off when the time is over",
          "[server][drain]") {
  Served served;
  HttpClient quick = served.subscriber("t");
  HttpClient stalled(served.server->address(), 4096);
  stalled.get("/topics/t/events");
  stalled.until(": listening t\n\n");
  HttpClient publisher(served.server->address());
  const std::string big(7000, 'x');
  const auto pending = [&] {
    publisher.forget();
    publisher.get("/healthz");
    const std::string& answer = publisher.until("}\n");
    return nlohmann::json::parse(
               answer.substr(answer.find("\r\n\r\n")))["totals"]["pending_to_clients"]
        .get<int>();
  };
  int sent = 0;
  while (pending() < 5 && sent < 1'000) {
    publisher.forget();
    publisher.post("/topics/t/events", R"({"data":")" + big + R"("})");
    REQUIRE(publisher.until("}\n").find("200 OK") != std::string::npos);
    ++sent;
    quick.until("\n\n");
  }
  REQUIRE(pending() >= 5);  // less may be on its way yet
  served.server->begin_drain(30s);
  CHECK(quick.until_closed().ends_with(kGoodbye));
  CHECK_FALSE(served.server->is_drained());
  // Meanwhile an open connection may ask; a stream that it asks for is told to come back.
  publisher.forget();
  publisher.get("/topics/t/events");
  const std::string& turned_away = publisher.until_closed();
  CHECK(turned_away.find("HTTP/1.1 200 OK\r\n") == 0);
  CHECK(turned_away.find("\n\nretry: ") != std::string::npos);
  CHECK(turned_away.ends_with(kGoodbye));
  CHECK_FALSE(served.server->is_drained());
  served.clock.jump(30s);
  CHECK(served.is_drained_soon());
  const DrainReport report = served.server->drain_report();
  CHECK(report.cut_off == 1);
  CHECK(report.unsent_events > 0);
  CHECK(report.goodbyes == 3);
}

TEST_CASE("drain: who reads slowly gets all of it, and the goodbye last", "[server][drain]") {
  Served served;
  HttpClient slow(served.server->address(), 4096);
  slow.get("/topics/t/events");
  slow.until(": listening t\n\n");
  HttpClient publisher(served.server->address());
  const std::string big(7000, 'x');
  std::size_t sent = 0;
  std::string answer;
  do {
    publisher.forget();
    publisher.post("/topics/t/events", R"({"data":")" + big + R"("})");
    REQUIRE(publisher.until("}\n").find("200 OK") != std::string::npos);
    ++sent;
    publisher.forget();
    publisher.get("/healthz");
    answer = publisher.until("}\n");
  } while (answer.find("\"pending_to_clients\":0") != std::string::npos && sent < 1'000);
  served.server->begin_drain(30s);
  const std::string& got = slow.until_closed();
  CHECK(got.ends_with(kGoodbye));
  std::size_t messages = 0;
  for (auto at = got.find("event: message"); at != std::string::npos;
       at = got.find("event: message", at + 1)) {
    ++messages;
  }
  CHECK(messages == sent);
  CHECK(served.is_drained_soon());
  CHECK(served.server->drain_report().is_complete());
}

TEST_CASE("drain: another limit of nothing ends it at once", "[server][drain]") {
  ScriptedNotify database;
  Served served(database.options());
  HttpClient subscriber = served.subscriber("t");
  database.let_send();
  HttpClient publisher(served.server->address());
  publisher.post("/topics/t/events", R"({"data":1})");
  publisher.until("}\n");
  served.server->begin_drain(60s);
  REQUIRE(eventually(10s, [&] { return database.count() == 2; }));
  CHECK_FALSE(served.server->is_drained());
  served.server->begin_drain(0s);
  CHECK(served.is_drained_soon());
  CHECK(subscriber.until_closed().ends_with(kGoodbye));
}

TEST_CASE("drain: streams of HTTP/2 get their events, their goodbye and GOAWAY",
          "[server][drain]") {
  ScriptedNotify database;
  const Served served(database.options());
  Http2Connection connection(served.server->address());
  const auto id = connection.get("/topics/t/events");
  REQUIRE(connection.until_body(id, ": listening t\n\n"));
  database.let_send();
  HttpClient publisher(served.server->address());
  publisher.post("/topics/t/events", R"({"data":1})");
  publisher.until("}\n");
  served.server->begin_drain(10s);
  REQUIRE(eventually(10s, [&] { return database.count() == 2; }));
  database.deliver(*served.server);
  CHECK(connection.until_closed());
  const auto& answer = connection.client.answer(id);
  CHECK(answer.body.find("data: 1\n\nretry: ") != std::string::npos);
  CHECK(answer.body.ends_with(kGoodbye));
  CHECK(answer.closed);
  CHECK(answer.error_code == NGHTTP2_NO_ERROR);
  CHECK(connection.client.went_away());
  CHECK(served.is_drained_soon());
}

TEST_CASE("drain: subscribers of runs get what was published, and are told to come back spread",
          "[server][drain]") {
  const Served served;
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int n = 0; n < 20; ++n) {
    clients.push_back(std::make_unique<HttpClient>(served.server->address()));
    clients.back()->get("/v1/runs/stream");
    clients.back()->until(": caught up\n\n");
  }
  HttpClient publisher(served.server->address());
  publisher.post("/v1/runs", R"({"id":"a","status":"EXECUTING"})");
  REQUIRE(publisher.until("}\n").find("200 OK") != std::string::npos);
  served.server->begin_drain(10s);
  std::set<std::string> pauses;
  for (const auto& client : clients) {
    const std::string& got = client->until_closed();
    CHECK(got.find("EXECUTING") != std::string::npos);
    CHECK(got.ends_with(kGoodbye));
    const std::size_t at = got.rfind("retry: ");
    REQUIRE(at != std::string::npos);
    pauses.insert(got.substr(at, got.find('\n', at) - at));
  }
  CHECK(pauses.size() >= 10);  // one for each of a shard's connections
  CHECK(served.is_drained_soon());
  CHECK(served.server->drain_report().goodbyes == 20);
}

TEST_CASE("health port: health is there alone, in the clear, and says that the server drains",
          "[server][drain]") {
  ServerOptions options;
  options.health_listen = *io::parse_address("127.0.0.1:0");
  ScriptedNotify database;
  const Served served(database.options(), std::move(options));
  const auto status_of = [](const io::Address& address, const std::string& path) {
    HttpClient client(address);
    client.get(path, "Connection: close\r\n");
    return client.until_closed().substr(9, 3);
  };
  const io::Address& main = served.server->address();
  const io::Address& health = *served.server->health_address();
  for (const char* path : {"/health", "/healthz"}) {
    CHECK(status_of(main, path) == "404");
    CHECK(status_of(health, path) == "200");
  }
  CHECK(status_of(health, "/topics/t/events") == "404");
  CHECK(status_of(health, "/v1/runs/stream") == "404");
  CHECK(status_of(main, "/metrics") == "200");
  CHECK(status_of(health, "/metrics") == "200");
  HttpClient subscriber = served.subscriber("t");
  database.let_send();
  HttpClient publisher(main);
  publisher.post("/topics/t/events", R"({"data":1})");
  publisher.until("}\n");
  served.server->begin_drain(10s);
  REQUIRE(eventually(10s, [&] { return database.count() == 2; }));
  CHECK_FALSE(HttpClient(main).connected());
  CHECK(status_of(health, "/health") == "503");
  CHECK(status_of(health, "/healthz") == "503");
  database.deliver(*served.server);
  CHECK(subscriber.until_closed().ends_with(kGoodbye));
  CHECK(served.is_drained_soon());
  CHECK_FALSE(HttpClient(health).connected());
}
