// The realtime surface of rtctl serve, two instances on each transport: what a client of either
// sees, with rtctl's own publisher and subscriber as clients, and what happens when the transport
// dies.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "integration/patience.h"
#include "integration/realtime_place.h"
#include "integration/running_tool.h"
#include "io/socket.h"
#include "server/http_client.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

struct Instance {
  explicit Instance(const RealtimePlace& place, const std::string& listen = "127.0.0.1:0") {
    const RealtimeBusOptions bus = place.options();
    std::vector<std::string> words = {"rtctl",      "serve",    "--listen", listen,
                                      "--surfaces", "realtime", "--redis",  bus.redis_url};
    if (bus.redis_url.empty()) words.resize(words.size() - 2);
    RunningTool::Environment environment = {{"REALTIME_TRANSPORT", bus.transport}};
    if (!bus.dsn.empty()) environment["DATABASE_URL"] = bus.dsn;
    tool = std::make_unique<RunningTool>(words, environment);
    REQUIRE(tool->wait_for("rtctl: serving http://"));
    const std::string& text = tool->error_text();
    const std::size_t at = text.find("url=http://") + 11;
    address = text.substr(at, text.find(' ', at) - at);
  }
  std::string url() const { return "http://" + address; }
  io::Address socket() const { return *io::parse_address(address); }

  json health() const {
    HttpClient client(socket());
    client.get("/health", "Connection: close\r\n");
    const std::string& answer = client.until_closed();
    return json::parse(answer.substr(answer.find("\r\n\r\n")))["surfaces"]["realtime"];
  }
  bool is(const std::string& status, Duration patience = 20s) const {
    return eventually(patience, [&] { return health()["status"] == status; });
  }
  // Status and body of the answer.
  std::pair<int, json> post(int n, const std::string& more = "") const {
    HttpClient client(socket());
    const std::string body = R"({"type":"t","data":)" + std::to_string(n) + more + "}";
    client.send("POST /realtime HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    const std::string& answer = client.until_closed();
    REQUIRE(answer.size() > 12);
    return {std::stoi(answer.substr(9, 3)), json::parse(answer.substr(answer.find("\r\n\r\n")))};
  }

  std::unique_ptr<RunningTool> tool;
  std::string address;
};

// A subscriber that is known to be one, or that asks to go on.
struct Listener {
  explicit Listener(const Instance& instance, const std::string& last_event_id = "",
                    const std::string& query = "")
      : client(instance.socket()) {
    client.get("/realtime" + query,
               last_event_id.empty() ? "" : "Last-Event-ID: " + last_event_id + "\r\n");
    REQUIRE(client.until("\"connected\"").find("\"connected\"") != std::string::npos);
  }
  // The data of its events, once `last` is among them.
  std::vector<int> until(int last) {
    std::vector<int> numbers;
    client.until_true([&] {
      numbers.clear();
      const std::string& text = client.received();
      for (std::size_t at = 0; (at = text.find("\"data\":", at)) != text.npos; ++at) {
        if (text.find("\n\n", at) != text.npos) numbers.push_back(std::stoi(text.substr(at + 7)));
      }
      return std::find(numbers.begin(), numbers.end(), last) != numbers.end();
    });
    return numbers;
  }
  std::string last_id() const {
    const std::string& text = client.received();
    const std::size_t at = text.rfind("\nid: ") + 5;
    return text.substr(at, text.find('\n', at) - at);
  }
  HttpClient client;
};

using Numbers = std::vector<int>;

Numbers up_to(int last) {
  Numbers numbers;
  for (int n = 1; n <= last; ++n) numbers.push_back(n);
  return numbers;
}

// What a tail printed, without the first frame of each connection.
std::vector<json> events_in(const std::string& ndjson) {
  std::vector<json> events;
  std::istringstream lines(ndjson);
  for (std::string line; std::getline(lines, line);) {
    const auto record = json::parse(line);
    if (record["type"] != "event") continue;
    auto event = json::parse(record["data"].get<std::string>());
    if (event["type"] != "connected") events.push_back(std::move(event));
  }
  return events;
}

TEST_CASE(
    "realtime: what is posted to one instance, or put by a peer, reaches clients of both once",
    "[realtime]") {
  const std::string transport = GENERATE("redis", "redis-stream", "postgres");
  INFO(transport);
  const auto place = realtime_place(transport);
  const Instance one(*place);
  const Instance two(*place);
  REQUIRE((one.is("ok") && two.is("ok")));
  Listener here(one);
  Listener there(two);
  Listener of_u1(two, "", "?user=u1&events=t");
  for (int n = 1; n <= 9; ++n) {
    const auto [status, answer] = one.post(n, n == 5 ? R"(,"userId":"u1")" : "");
    CHECK(status == 200);
    CHECK(answer["id"].is_string());
  }
  place->put(R"({"type":"t","data":10,"timestamp":"2026-01-01T00:00:00Z"})");
  REQUIRE(there.until(10) == Numbers{1, 2, 3, 4, 6, 7, 8, 9, 10});
  CHECK(two.post(11).first == 200);
  for (Listener* listener : {&here, &there}) {
    CHECK(listener->until(11) == Numbers{1, 2, 3, 4, 6, 7, 8, 9, 10, 11});
  }
  CHECK(of_u1.until(11) == up_to(11));
  CHECK((here.client.received().find("\nid: ") != std::string::npos) == place->keeps_past());
  CHECK(place->connections() == 2);
}

TEST_CASE("realtime: rtctl's publisher and subscriber work against it, over HTTP and straight",
          "[realtime]") {
  const std::string transport = GENERATE("memory", "redis", "redis-stream", "postgres");
  INFO(transport);
  const auto place = realtime_place(transport);
  const Instance one(*place);
  REQUIRE(one.is("ok"));
  RunningTool tail(
      {"rtctl", "sub", "realtime", "task-updated", "--url", one.url(), "--json", "--count", "3"});
  REQUIRE(eventually(10s, [&] { return one.health()["subscribers"] == 1; }));
  const Outcome sent = run({"rtctl", "pub", "realtime", "task-updated", R"({"id":7})", "--url",
                            one.url(), "--via", "http", "--await"});
  INFO(sent.out << sent.err);
  CHECK(sent.status == 0);
  CHECK(run({"rtctl", "pub", "realtime", "other", "1", "--url", one.url()}).status == 0);
  std::vector<std::string> straight = {"rtctl", "pub", "realtime", "task-updated", R"({"id":8})"};
  const RealtimeBusOptions bus = place->options();
  if (transport == "postgres") {
    straight.insert(straight.end(), {"--via", "notify", "--pg", bus.dsn});
  } else if (transport == "memory") {
    straight.insert(straight.end(), {"--url", one.url()});
  } else {
    straight.insert(straight.end(), {"--via", "redis", "--redis", bus.redis_url});
    if (place->keeps_past()) straight.emplace_back("--stream");
  }
  const Outcome put = run(straight);
  INFO(put.err);
  CHECK(put.status == 0);
  const Outcome end = tail.finish();
  INFO(end.out << end.err);
  CHECK(end.status == 0);
  std::string ids;
  for (const json& event : events_in(end.out)) {
    ids += event["data"]["id"].dump();
    CHECK(event["type"] == "task-updated");
  }
  CHECK(ids == "78");
}

TEST_CASE("realtime: the transport dies: local delivery goes on, it is said, and all comes back",
          "[realtime]") {
  const std::string transport = GENERATE("redis", "redis-stream", "postgres");
  INFO(transport);
  const auto place = realtime_place(transport);
  const Instance one(*place);
  const Instance two(*place);
  REQUIRE((one.is("ok") && two.is("ok")));
  Listener here(one);
  Listener there(two);
  CHECK(one.post(1).first == 200);
  REQUIRE(there.until(1) == Numbers{1});
  REQUIRE(here.until(1) == Numbers{1});
  const std::string id_before = place->keeps_past() ? there.last_id() : "";
  REQUIRE(place->kill());
  REQUIRE((one.is("degraded") && two.is("degraded")));
  CHECK(two.health()["reason"].get<std::string>().find("transport " + transport + ": ") == 0);
  const auto [status, answer] = one.post(2);
  CHECK(status == 503);
  CHECK(answer["reached"] == "subscribers of this instance only");
  CHECK(!answer["error"].get<std::string>().empty());
  CHECK(here.until(2) == Numbers{1, 2});
  place->restart();
  REQUIRE((one.is("ok") && two.is("ok")));
  CHECK(one.post(3).first == 200);
  CHECK(two.post(4).first == 200);
  CHECK(here.until(4) == up_to(4));
  there.until(3);
  Numbers seen_there = there.until(4);  // an instance's own event may overtake that of another
  std::sort(seen_there.begin(), seen_there.end());
  CHECK(seen_there == Numbers{1, 3, 4});
  CHECK(two.health()["reconnects"] == 1);
  CHECK(place->connections() == 2);
  // Nothing that a transport without a past may have lost goes unsaid.
  CHECK((there.client.received().find(": gap: connection lost") != std::string::npos) ==
        !place->keeps_past());
  if (place->keeps_past()) {
    CHECK(Listener(one, id_before).until(4) == Numbers{3, 4});
  }
}

TEST_CASE("realtime: a transport that is away at the start leaves a server of its own, degraded",
          "[realtime]") {
  const std::string transport = GENERATE("redis", "redis-stream", "postgres");
  INFO(transport);
  const auto place = realtime_place(transport);
  REQUIRE(place->kill());
  const Instance one(*place);
  REQUIRE(one.is("degraded"));
  Listener here(one);
  const auto [status, answer] = one.post(1);
  CHECK(status == 503);
  CHECK(here.until(1) == Numbers{1});
  place->restart();
  REQUIRE(one.is("ok"));
  CHECK(one.post(2).first == 200);
  CHECK(here.until(2) == Numbers{1, 2});
  CHECK(here.client.received().find(": gap: the transport was away until now") !=
        std::string::npos);
}

TEST_CASE("realtime: a client goes on after its last event on any instance, exactly once",
          "[realtime]") {
  RedisPlace place("redis-stream");
  const Instance one(place);
  auto two = std::make_unique<Instance>(place);
  REQUIRE((one.is("ok") && two->is("ok")));
  auto client = std::make_unique<Listener>(one);
  Numbers seen;
  std::string last;
  for (int round = 0; round < 12; ++round) {
    for (int n = 1; n <= 5; ++n) CHECK(one.post(round * 5 + n).first == 200);
    if (round == 6) {  // what it must read back is not in its memory
      two.reset();
      two = std::make_unique<Instance>(place);
      REQUIRE(two->is("ok"));
    }
    const int target = round * 5 + 3;
    const Numbers more = client->until(target);
    seen.insert(seen.end(), more.begin(), std::find(more.begin(), more.end(), target) + 1);
    // It went away after reading exactly so much.
    const std::string& text = client->client.received();
    const std::size_t at = text.rfind("\nid: ", text.find("\"data\":" + std::to_string(target)));
    last = text.substr(at + 5, text.find('\n', at + 1) - at - 5);
    client = std::make_unique<Listener>(round % 2 == 0 ? *two : one, last);
  }
  const Numbers rest = client->until(60);
  seen.insert(seen.end(), rest.begin(), rest.end());
  CHECK(seen == up_to(60));
  CHECK(two->health()["resumed"].get<int>() >= 1);
}

TEST_CASE("realtime: what a client missed and is gone is named, and so is an id of nothing",
          "[realtime]") {
  RedisPlace place("redis-stream");
  const Instance one(place);
  REQUIRE(one.is("ok"));
  place.put(R"({"type":"t","data":1})");
  REQUIRE(eventually(10s, [&] { return one.health()["heard"] == 1; }));
  Listener first(one);
  for (int n = 2; n <= 9; ++n) CHECK(one.post(n).first == 200);
  REQUIRE(first.until(9).size() == 8);
  place.redis.command({"XTRIM", "rt:stream", "MAXLEN", "2"});
  Listener late(one, "1-0");
  CHECK(late.until(9) == Numbers{8, 9});
  CHECK(late.client.received().find(": gap: stream rt:stream was trimmed: entries after 1-0 may") !=
        std::string::npos);
  Listener lost(one, "elsewhere");
  CHECK(lost.client.until("\n\n: gap").find("\"elsewhere\" is no id of this stream") !=
        std::string::npos);
  CHECK(one.post(10).first == 200);
  CHECK(lost.until(10) == Numbers{10});
}

TEST_CASE("realtime: a stream of rtctl loses and repeats nothing while Redis and a server die",
          "[realtime]") {
  RedisPlace place("redis-stream");
  auto one = std::make_unique<Instance>(place);
  const std::string listen = one->address;
  REQUIRE(one->is("ok"));
  RunningTool tail({"rtctl", "sub", "realtime", "--url", one->url(), "--json"});
  REQUIRE(eventually(10s, [&] { return one->health()["subscribers"] == 1; }));
  int n = 0;
  const auto put = [&](int count) {
    for (int i = 0; i < count; ++i) place.put(R"({"type":"t","data":)" + std::to_string(++n) + "}");
  };
  put(50);
  REQUIRE(tail.wait_for(R"(\"data\":50)"));
  one.reset();  // by SIGKILL
  put(100);     // nobody listens
  one = std::make_unique<Instance>(place, listen);
  REQUIRE(tail.wait_for(R"(\"data\":150)"));
  place.kill();
  place.restart();
  put(100);
  place.redis.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  put(50);
  REQUIRE(tail.wait_for(R"(\"data\":300)"));
  tail.signal(SIGINT);
  const Outcome end = tail.finish();
  INFO(end.err);
  Numbers numbers;
  for (const json& event : events_in(end.out)) numbers.push_back(event["data"]);
  CHECK(numbers == up_to(300));
}

TEST_CASE("realtime: what cannot be served says so", "[realtime]") {
  const Outcome unknown = run({"rtctl", "serve", "--realtime-transport", "kafka"});
  CHECK(unknown.status == 2);
  CHECK(unknown.err.find("there is no transport \"kafka\"") != std::string::npos);
  RunningTool server({"rtctl", "serve", "--listen", "127.0.0.1:0", "--surfaces", "realtime"},
                     {{"REALTIME_TRANSPORT", "redis"}, {"REDIS_URL", ""}});
  REQUIRE(server.wait_for("rtctl: serving http://"));
  const std::string& text = server.error_text();
  const std::size_t at = text.find("url=http://") + 11;
  HttpClient client(*io::parse_address(text.substr(at, text.find(' ', at) - at)));
  client.get("/realtime", "Connection: close\r\n");
  const std::string& answer = client.until_closed();
  CHECK(answer.find("HTTP/1.1 503 ") == 0);
  CHECK(answer.find("transport redis needs a Redis: set REDIS_URL or --redis") !=
        std::string::npos);
}

}  // namespace
}  // namespace rt::test
