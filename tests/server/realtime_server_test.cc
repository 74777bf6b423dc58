// The realtime surface over HTTP: two servers in one process, with a bus of memory between them.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "integration/patience.h"
#include "server/http_client.h"
#include "server/realtime_surface.h"
#include "server/server.h"

using namespace rt;
using namespace rt::server;
using nlohmann::json;
using rt::test::HttpClient;

namespace {

class Instance {
 public:
  explicit Instance(std::shared_ptr<RealtimeExchange> exchange, const std::string& name = "one",
                    RealtimeHttp http = {})
      : bus_(realtime_over_memory(std::move(exchange))) {
    http.trusts_parameter = true;
    ServerOptions options;
    options.listen = *io::parse_address("127.0.0.1:0");
    options.connections_max = 2'000;
    options.runs = false;
    options.expects_rows = false;
    options.surfaces.push_back(
        realtime_parts(bus_, {.http = std::move(http), .transport = "memory", .origin = name}));
    auto started = Server::start(std::move(options), clock_);
    if (!started) FAIL(started.error().text);
    server_ = std::move(*started);
    listening_ = std::jthread([this](const std::stop_token& stop) {
      (void)server_->feed(Surface::realtime, *bus_, stop);
    });
    while (!bus_->status().connected) std::this_thread::yield();
  }
  ~Instance() { stop(); }
  void stop() {
    listening_.request_stop();
    if (listening_.joinable()) listening_.join();
    server_->stop();
  }

  Server& operator*() { return *server_; }
  // The answer to one request, status line first.
  std::string ask(const std::string& method, const std::string& target,
                  const std::string& body = "") {
    HttpClient client(server_->address());
    client.send(method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.until_closed();
  }
  std::string post(const std::string& body) { return ask("POST", "/realtime", body); }
  void post(int n, const std::string& more = "") {
    const std::string answer = post(R"({"type":"t","data":)" + std::to_string(n) + more + "}");
    INFO(answer);
    REQUIRE(answer.find("HTTP/1.1 200 OK\r\n") == 0);
  }

 private:
  SystemClock clock_;
  std::shared_ptr<RealtimeBus> bus_;
  std::unique_ptr<Server> server_;
  std::jthread listening_;
};

// A subscriber that is known to be one.
struct Listener {
  explicit Listener(Instance& instance, const std::string& query = "", int receive_buffer_bytes = 0)
      : client((*instance).address(), receive_buffer_bytes) {
    client.get("/realtime" + query);
    REQUIRE(client.until("\"connected\"").find("\"connected\"") != std::string::npos);
  }
  // The data of its events, once `last` is among them.
  std::vector<int> until(int last) {
    std::vector<int> numbers;
    client.until_true([&] {
      numbers.clear();
      const std::string& text = client.received();
      constexpr std::string_view kData = "\"data\":";
      for (std::size_t at = 0; (at = text.find(kData, at)) != text.npos; ++at) {
        if (text.find("\n\n", at) != text.npos) numbers.push_back(std::stoi(text.substr(at + 7)));
      }
      return std::find(numbers.begin(), numbers.end(), last) != numbers.end();
    });
    return numbers;
  }
  HttpClient client;
};

using Numbers = std::vector<int>;

TEST_CASE("realtime over HTTP: head, first frame, event, ping and goodbye, byte for byte",
          "[realtime]") {
  RealtimeHttp http;
  http.keepalive_every = std::chrono::milliseconds(100);
  Instance instance(make_realtime_exchange(), "one", http);
  Listener listener(instance);
  const std::string head = listener.client.until("\n\n");
  CHECK(head.find("HTTP/1.1 200 OK\r\n") == 0);
  for (const char* line :
       {"Content-Type: text/event-stream\r\n", "Cache-Control: no-cache, no-transform\r\n",
        "X-Accel-Buffering: no\r\n"}) {
    INFO(head);
    CHECK(head.find(line) != std::string::npos);
  }
  const std::string first = head.substr(head.find("\r\n\r\n") + 4);
  CHECK(first.rfind("data: {\"type\":\"connected\",\"timestamp\":\"20", 0) == 0);
  CHECK(listener.client.until("\n\n: ping 1").find("\n\n: ping 1") != std::string::npos);
  const std::string answer = instance.post(R"({"type":"t", "data": {"n": 1.50}, "userId": null})");
  CHECK(answer.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(answer.substr(answer.find("\r\n\r\n") + 4) == "{\"id\":\"one-1\"}\n");
  const std::string& text = listener.client.until("\"origin\":\"one\"}\n\n");
  CHECK(text.find("\ndata: {\"type\":\"t\",\"data\":{\"n\":1.50},\"timestamp\":\"20") !=
        std::string::npos);
  CHECK(text.find("\",\"id\":\"one-1\",\"origin\":\"one\"}\n\n") != std::string::npos);
  instance.stop();
  const std::string& all = listener.client.until_closed();
  CHECK(all.find("\n\n: server shutting down\n\n") == all.size() - 26);
}

TEST_CASE("realtime over HTTP: local once, remote once, in order, filtered after the bus",
          "[realtime]") {
  const auto exchange = make_realtime_exchange();
  Instance one(exchange, "one");
  Instance two(exchange, "two");
  Listener here(one);
  Listener there(two);
  Listener u1(two, "?events=t&user=u1");
  Listener other(two, "?events=other,&user=u2");
  for (int n = 0; n < 20; ++n) one.post(n, n % 2 == 1 ? R"(,"userId":"u1")" : "");
  one.post(R"({"type":"other","data":77})");
  const Numbers even{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 77};
  CHECK(here.until(77) == even);
  CHECK(there.until(77) == even);
  CHECK(other.until(77) == Numbers{77});
  two.post(78);
  CHECK(here.until(78).size() == 12);
  Numbers all;
  for (int n = 0; n < 20; ++n) all.push_back(n);
  all.push_back(78);
  CHECK(u1.until(78) == all);
  json said;
  CHECK(test::eventually(std::chrono::seconds(10), [&] {  // its own event comes back over the bus
    const std::string health = two.ask("GET", "/health");
    said = json::parse(health.substr(health.find("\r\n\r\n")));
    return said["surfaces"]["realtime"]["own"] == 1;
  }));
  const json& realtime = said["surfaces"]["realtime"];
  INFO(said.dump());
  CHECK(said["status"] == "ok");
  CHECK(realtime["status"] == "ok");
  CHECK(realtime["subscribers"] == 3);
  CHECK(realtime["published"] == 1);
  CHECK(realtime["heard"] == 21);
}

TEST_CASE("realtime over HTTP: refusals are JSON, and a malformed post disturbs nobody",
          "[realtime]") {
  Instance instance(make_realtime_exchange());
  Listener listener(instance);
  CHECK(instance.post("{").find("HTTP/1.1 400 ") == 0);
  CHECK(instance.post("").find("HTTP/1.1 400 ") == 0);
  CHECK(instance.post(R"({"data":1})").find("{\"error\":\"type is missing or empty\"}\n") !=
        std::string::npos);
  CHECK(instance.ask("DELETE", "/realtime").find("Allow: GET, POST, OPTIONS\r\n") !=
        std::string::npos);
  CHECK(instance.ask("OPTIONS", "/realtime").find("HTTP/1.1 204 ") == 0);
  CHECK(instance.ask("GET", "/realtime/more").find("HTTP/1.1 404 ") == 0);
  const std::string large = R"({"type":"t","data":")" + std::string(1'100'000, 'x') + "\"}";
  CHECK(instance.post(large).find("HTTP/1.1 413 ") == 0);
  instance.post(5);
  CHECK(listener.until(5) == Numbers{5});
}

TEST_CASE("realtime over HTTP: who does not read is closed, and nobody waits for him",
          "[realtime]") {
  Instance instance(make_realtime_exchange());
  std::vector<std::unique_ptr<Listener>> stalled;
  for (int i = 0; i < 20; ++i) {
    stalled.push_back(std::make_unique<Listener>(instance, "", 4'096));
  }
  Listener reader(instance, "?events=end");
  const json body = {{"type", "big"}, {"data", std::string(200'000, 'x')}};
  const std::string text = body.dump();
  while ((*instance).counters().slow_disconnects < 20) {
    REQUIRE(instance.post(text).find("HTTP/1.1 200 OK\r\n") == 0);
  }
  REQUIRE(instance.post(R"({"type":"end","data":9})").find("HTTP/1.1 200 OK\r\n") == 0);
  CHECK(reader.until(9) == Numbers{9});
}

}  // namespace
