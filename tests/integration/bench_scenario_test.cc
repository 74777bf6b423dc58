// Words of a scenario whose effect only a server sees: where connections come from, what is posted.
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "integration/bench_run.h"
#include "integration/child_process.h"
#include "integration/running_tool.h"
#include "integration/scripted_server.h"
#include "integration/served.h"
#include "io/socket.h"
#include "temp_folder.h"

namespace {

using nlohmann::json;
using rt::test::add_settings;
using rt::test::BenchRun;
using rt::test::Peer;
using rt::test::RunningTool;
using rt::test::ScriptedServer;
using rt::test::Served;
using rt::test::take_report;
using rt::test::TempFolder;
using Words = std::vector<std::string>;

// 40 subscribers of 8 topics, 150 events in a second.
BenchRun bench(const Served& server, const Words& overrides) {
  const std::string path = std::filesystem::temp_directory_path() /
                           ("rtbench-scenario-" + std::to_string(::getpid()) + ".json");
  Words words = {"rtbench",    "run",  "preset:topics", "--no-selftest",
                 "--progress", "none", "--report",      "json=" + path};
  add_settings(words,
               {"target.url=" + server.origin + "/topics/{topic}/events", "target.publish_url=",
                "publish.0.rate=150/s", R"(subscriptions.topics={"count": 8, "name": "t{n}"})",
                R"(subscriptions.choice={"dist": "round_robin"})",
                R"(phases=[{"name": "ramp", "connections": {"to": 40}},
                         {"name": "warm", "hold": "100ms"},
                         {"name": "main", "hold": "1s", "measure": true},
                         {"name": "drain", "hold": "1s"}])",
                R"(thresholds=[{"expr": "delivery.p95 < 5s"}])",
                R"(gates.waive=["client_saturation", "open_loop", "warm_up", "receive_queue"])"});
  add_settings(words, overrides);
  return take_report(RunningTool(words).finish(), path);
}

// The ports that streams came from, as the server wrote them down.
std::set<int> ports_of_streams(const std::string& access_log) {
  std::set<int> ports;
  std::istringstream lines(rt::test::read_text(access_log));
  for (std::string line; std::getline(lines, line);) {
    const json entry = json::parse(line, nullptr, /*allow_exceptions=*/false);
    REQUIRE(entry.is_object());
    if (entry.at("method") != "GET") continue;
    const std::string peer = entry.at("peer");
    ports.insert(std::stoi(peer.substr(peer.rfind(':') + 1)));
  }
  return ports;
}

// A way to a server that loses the answer of every 25th request that it has not seen before: the
// connection breaks once the server has taken the event. One that knows keys answers itself when
// one comes again.
class LossyWay {
 public:
  LossyWay(const Served& server, bool knows_keys)
      : target_(*rt::io::parse_address(server.address())),
        knows_keys_(knows_keys),
        relay_([this](Peer& peer, std::size_t) { pass(peer); }) {}

  std::string url(const std::string& path) const { return relay_.url(path); }
  int lost() const { return lost_; }

 private:
  void pass(Peer& peer) {
    std::string request = peer.read_request();
    if (request.empty()) return;  // who only looked whether anybody is there
    const std::size_t at = request.find("Idempotency-Key: ");
    const bool is_new = at == std::string::npos ||
                        keys_.insert(request.substr(at, request.find('\r', at) - at)).second;
    if (!is_new && knows_keys_) return peer.answer("204 No Content", "", "");
    const std::string answer =
        ask(request.insert(request.find("\r\n\r\n"), "\r\nConnection: close"));
    if (is_new && ++count_ % 25 == 0) {
      ++lost_;
      return peer.reset();
    }
    peer.send(answer);
    peer.finish();
  }
  std::string ask(const std::string& request) const {
    const rt::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(socket.get(), target_.raw(), target_.size) != 0) return {};
    if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
    std::string answer;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::recv(socket.get(), buffer, sizeof buffer, 0)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(n));
    }
    return answer;
  }

  rt::io::Address target_;
  bool knows_keys_;
  std::set<std::string> keys_;  // these two: the relay's thread alone
  int count_ = 0;
  std::atomic<int> lost_{0};
  ScriptedServer relay_;
};

}  // namespace

TEST_CASE("bench scenario: subscribers come from the ports that the scenario names",
          "[bench_scenario]") {
  if (!rt::io::bounds_ports()) return;  // a kernel before Linux 6.3
  const TempFolder folder;
  const std::string log = folder.path + "/access";
  const Words sources = {R"(sources={"addresses": ["127.77.0.2"], "ports": "42000-42063"})"};
  {
    const Served server({"--surfaces", "topics", "--access-log", log, "--log-format", "json"});
    const BenchRun ran = bench(server, sources);
    CHECK(ran.outcome.status == 0);
    REQUIRE(ran.report.is_object());
    CHECK(ran.report.at("integrity").at("lost") == 0);
    Words narrow = sources;
    narrow.push_back("sources.ports=42000-42019");
    const BenchRun stopped = bench(server, narrow);
    CHECK(stopped.outcome.status == 5);
    CHECK_THAT(stopped.outcome.err,
               Catch::Contains("not enough ports (of one source address, within 42000-42019): the "
                               "run needs 40, this machine has 20"));
    server.tool->signal(SIGTERM);
    server.tool->finish();
  }
  const std::set<int> ports = ports_of_streams(log);
  CHECK(ports.size() == 40);
  CHECK(*ports.begin() >= 42'000);
  CHECK(*ports.rbegin() <= 42'063);
}

TEST_CASE("bench scenario: topics come from files by their names, each file with its own producer",
          "[bench_scenario]") {
  const TempFolder folder;
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(folder.path + "/" + name) << text;
    return R"({"dist": "file", "file": ")" + folder.path + "/" + name + "\"}";
  };
  const std::string followed = write("followed", "5\tweather\nnews\nsport\nnews-of-sport\n");
  const std::string first = write("first", "news\n3\tweather\n");
  const std::string second = write("second", "sport\nnews-of-sport\n");
  const auto entry = [](const std::string& id, const std::string& topic) {
    return R"({"id": ")" + id + R"(", "producer": {"type": "http-post"}, "rate": 75, "topic": )" +
           topic + "}";
  };
  const Served server({"--surfaces", "topics"});
  const BenchRun ran =
      bench(server, {"publish=[" + entry("a", first) + "," + entry("b", second) + "]",
                     "subscriptions.choice=" + followed, "report.keep_worst=1000"});
  CHECK(ran.outcome.status == 0);
  REQUIRE(ran.report.is_object());
  CHECK(ran.report.at("integrity").at("lost") == 0);
  CHECK(ran.report.at("integrity").at("duplicate") == 0);
  CHECK(ran.report.at("integrity").at("reorder") == 0);
  const json& delivery = ran.report.at("delivery");
  CHECK(delivery.at("expected") == delivery.at("received"));
  CHECK(delivery.at("events").get<int>() > 90);
  std::set<std::string> topics;
  for (const json& one : ran.report.at("slowest").at("deliveries")) topics.insert(one.at("topic"));
  for (const char* name : {"weather", "news", "sport", "news-of-sport"}) {
    CHECK(topics.contains(name));
  }
}

TEST_CASE("bench scenario: a lost answer is asked for again by the event's key, which counts once",
          "[bench_scenario]") {
  const Served server({"--surfaces", "topics"});
  struct Case {
    bool knows_keys;
    bool idempotency;
  };
  for (const Case& one : {Case{true, true}, Case{false, true}, Case{false, false}}) {
    LossyWay way(server, one.knows_keys);
    const BenchRun ran = bench(
        server, {R"(publish.0.producer={"type": "http-post", "connections": 1, "idempotency": )" +
                     std::string(one.idempotency ? "true}" : "false}"),
                 "target.publish_url=" + way.url("/topics/{topic}/events")});
    INFO("knows keys: " << one.knows_keys << ", idempotency: " << one.idempotency);
    REQUIRE(ran.report.is_object());
    const json& load = ran.report.at("load");
    const json& delivery = ran.report.at("delivery");
    const json& integrity = ran.report.at("integrity");
    CHECK(way.lost() > 3);
    CHECK(load.at("achieved").get<int>() > 100);
    CHECK(integrity.at("lost") == 0);
    // Each event is expected once by each of its five followers.
    CHECK(delivery.at("expected").get<int>() == 5 * load.at("achieved").get<int>());
    CHECK(delivery.at("received") == delivery.at("expected"));
    if (!one.idempotency) {
      CHECK(load.at("retried") == 0);
      CHECK(load.at("failed").get<int>() > 3);
      CHECK(ran.outcome.status == 1);
      continue;
    }
    CHECK(load.at("failed") == 0);
    CHECK(load.at("acknowledged") == load.at("achieved"));
    CHECK(load.at("retried").get<int>() > 3);
    CHECK((integrity.at("duplicate") == 0) == one.knows_keys);
    CHECK(ran.outcome.status == (one.knows_keys ? 0 : 6));
  }
}
