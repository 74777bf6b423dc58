// Servers that lie, and clients that are handicapped: rtbench must end in the exact verdict and
// exit status for each, and never call the run good. A server's fault is a FAIL (1, 4 or 6); a
// fault on this side is INVALID (5 or 7), whatever the figures say.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "integration/bench_run.h"
#include "integration/dropping_relay.h"
#include "integration/lying_server.h"
#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/running_tool.h"

namespace {

using nlohmann::json;
using rt::test::add_settings;
using rt::test::BenchRun;
using rt::test::Lie;
using rt::test::LyingServer;
using rt::test::Outcome;
using rt::test::RunningTool;
using Words = std::vector<std::string>;
using namespace std::chrono_literals;

// 20 subscribers of 5 topics, 200 events a second for two seconds.
Words words_for(const std::string& url, const std::string& report, const Words& more = {}) {
  Words words = {"rtbench",    "run",   "preset:topics", "--no-selftest",
                 "--progress", "plain", "--report",      "json=" + report};
  const Words all = {
      "target.url=" + url,
      "target.publish_url=" + url,
      "load.connections=20",
      "load.rate=200/s",
      "subscriptions.topics.count=5",
      "subscriptions.choice={\"dist\": \"round_robin\"}",
      "publish.0.topic={\"dist\": \"uniform\"}",
      "publish.0.arrival=constant",
      "phases.warm.hold=100ms",
      "phases.main.hold=2s",
      "phases.drain.hold=1s",
      "reconnect.policy={\"base\": \"100ms\", \"max\": \"100ms\"}",
      "thresholds=[{\"expr\": \"delivery.p95 < 300ms\"}, {\"expr\": \"connect.p95 < 300ms\"}]",
  };
  add_settings(words, all);
  add_settings(words, more);
  return words;
}

// What depends on how busy this machine is must not hide what the server did.
const std::string kMachineWaived =
    "gates.waive=[\"client_saturation\", \"open_loop\", \"warm_up\", \"receive_queue\"]";

struct Ran : BenchRun {
  std::string verdict() const {
    return report.is_object() ? report.at("verdict").get<std::string>() : "no report";
  }
  std::uint64_t integrity(const char* what) const { return report.at("integrity").at(what); }
  double p95() const {
    const json& value = report.at("delivery").at("percentiles").at("p95");
    return value.is_number() ? value.get<double>() : INFINITY;
  }
  // Whether a gate or threshold of that name is among the reasons.
  bool blames(const std::string& source) const {
    for (const json& reason : report.at("reasons")) {
      if (reason.at("source") == source) return true;
    }
    return false;
  }
};

std::string report_path(const std::string& name = "run") {
  return std::filesystem::temp_directory_path() /
         ("rtbench-liars-" + std::to_string(::getpid()) + "-" + name + ".json");
}

Ran ran_of(Outcome outcome, const std::string& path) {
  return {rt::test::take_report(std::move(outcome), path)};
}

Ran bench(Lie lie, const Words& more = {}) {
  const LyingServer server(std::move(lie));
  Words all = {kMachineWaived};
  all.insert(all.end(), more.begin(), more.end());
  const std::string path = report_path();
  return ran_of(RunningTool(words_for(server.url(), path, all)).finish(), path);
}

auto each(std::uint64_t period, Lie::Fate fate) {
  return [=](std::uint64_t n) { return n % period == 0 ? fate : Lie::Fate::deliver; };
}

// One byte of one event in a hundred: the first one of `what`, or so far behind it.
auto flip(std::string what, std::size_t behind = 0) {
  return [=](std::uint64_t n, std::string& data) {
    if (n % 100 == 0) data[data.find(what) + behind] ^= 1;
  };
}

// Runs whose verdict does not depend on latency: all at once, to save the time of one after
// another.
class Together {
 public:
  Together() {
    start("drop", {.fate = each(100, Lie::Fate::drop)});
    start("twice", {.fate = each(100, Lie::Fate::twice)});
    start("reorder", {.fate = each(100, Lie::Fate::after_next)});
    Lie heartbeats;
    heartbeats.heartbeats_only = true;
    start("heartbeats", heartbeats);
    Lie page;
    page.answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<ok>";
    start("page", page);
    Lie resets;
    resets.reset_at = 200;
    start("resets", resets);
    const Words content = {R"(integrity.check=["loss", "duplicate", "order", "content"])"};
    start("content", {}, content);
    Lie flips;
    flips.alter = flip("xxxxxxxx", 7);
    start("flips", flips, content);
    start("unseen flips", flips);
    Lie misnumbers;
    misnumbers.alter = flip("\"seq\":", 6);
    start("misnumbers", misnumbers, content);
  }
  static Ran take(const std::string& name) {
    static Together all;
    Running& one = all.running_.at(name);
    return ran_of(one.tool->finish(), report_path(name));
  }

 private:
  struct Running {
    std::unique_ptr<LyingServer> server;
    std::unique_ptr<RunningTool> tool;
  };
  void start(const std::string& name, Lie lie, Words more = {}) {
    Running& one = running_[name];
    one.server = std::make_unique<LyingServer>(std::move(lie));
    more.push_back(kMachineWaived);
    more.push_back("thresholds=[{\"expr\": \"delivery.p95 < 30s\"}]");
    one.tool = std::make_unique<RunningTool>(words_for(one.server->url(), report_path(name), more));
  }
  std::map<std::string, Running> running_;
};

}  // namespace

TEST_CASE("bench liars: an honest server passes: exit 0", "[bench_liars]") {
  const Ran ran = bench({});
  CHECK(ran.outcome.status == 0);
  CHECK(ran.verdict() == "PASS");
  CHECK(ran.report.at("delivery").at("received") == 1'600);
}

TEST_CASE("bench liars: a stall of 3 s shows in p95 as what subscribers waited: exit 1",
          "[bench_liars]") {
  Lie lie;
  lie.stall_at = 60;
  lie.stall = 3s;
  const Ran ran = bench(lie, {"phases.main.hold=4s"});
  CHECK(ran.outcome.status == 1);
  CHECK(ran.verdict() == "FAIL");
  CHECK(ran.blames("threshold"));
  CHECK(ran.p95() > 2'500);
  CHECK(ran.p95() < 3'300);
}

TEST_CASE("bench liars: one event in a hundred dropped is lost to each subscriber: exit 6",
          "[bench_liars]") {
  const Ran ran = Together::take("drop");
  CHECK(ran.outcome.status == 6);
  CHECK(ran.verdict() == "FAIL");
  CHECK(ran.blames("gate integrity"));
  CHECK(ran.integrity("lost") == 16);  // 4 of 420 events, four subscribers each
  CHECK(ran.integrity("duplicate") == 0);
  CHECK(ran.integrity("reorder") == 0);
}

TEST_CASE("bench liars: events that come twice are duplicates: exit 6", "[bench_liars]") {
  const Ran ran = Together::take("twice");
  CHECK(ran.outcome.status == 6);
  CHECK(ran.verdict() == "FAIL");
  CHECK(ran.integrity("lost") == 0);
  CHECK(ran.integrity("duplicate") == 16);
}

TEST_CASE("bench liars: events after their successor are reordered, not lost: exit 6",
          "[bench_liars]") {
  const Ran ran = Together::take("reorder");
  CHECK(ran.outcome.status == 6);
  CHECK(ran.verdict() == "FAIL");
  CHECK(ran.integrity("lost") == 0);
  CHECK(ran.integrity("duplicate") == 0);
  CHECK(ran.integrity("reorder") == 16);
}

TEST_CASE("bench liars: an honest server passes with its content checked: exit 0",
          "[bench_liars]") {
  const Ran ran = Together::take("content");
  CHECK(ran.outcome.status == 0);
  CHECK(ran.verdict() == "PASS");
  CHECK(ran.integrity("corrupt") == 0);
  CHECK_THAT(ran.outcome.out, Catch::Contains("reorder 0  corrupt 0"));
}

TEST_CASE("bench liars: a byte flipped in one event of a hundred is corrupt, not lost: exit 6",
          "[bench_liars]") {
  const Ran ran = Together::take("flips");
  CHECK(ran.outcome.status == 6);
  CHECK(ran.verdict() == "FAIL");
  CHECK(ran.blames("gate integrity"));
  CHECK(ran.integrity("corrupt") == 16);
  CHECK(ran.integrity("lost") == 0);
  CHECK(ran.integrity("duplicate") == 0);
  CHECK(ran.integrity("reorder") == 0);
  const std::string first = ran.report.at("integrity").at("first").at("corrupt");
  CHECK_THAT(first, Catch::StartsWith("topic ") && Catch::Contains(", event ") &&
                        Catch::Contains(", connection "));
  CHECK_THAT(ran.outcome.out, Catch::Contains("first: " + first));
}

TEST_CASE("bench liars: an event whose number is flipped is corrupt, and what was due is lost",
          "[bench_liars]") {
  const Ran ran = Together::take("misnumbers");
  CHECK(ran.outcome.status == 6);
  CHECK(ran.integrity("corrupt") == 16);
  CHECK(ran.integrity("lost") == 16);
  CHECK(ran.integrity("duplicate") == 0);
  CHECK(ran.integrity("reorder") == 0);
}

TEST_CASE("bench liars: content that is not asked for is not looked at, and the report says so",
          "[bench_liars]") {
  const Ran ran = Together::take("unseen flips");
  CHECK(ran.outcome.status == 0);
  CHECK(ran.report.at("integrity").at("corrupt").is_null());
}

TEST_CASE("bench liars: heartbeats are no deliveries; all is lost, p95 infinite: exit 6",
          "[bench_liars]") {
  const Ran ran = Together::take("heartbeats");
  CHECK(ran.outcome.status == 6);
  CHECK(ran.verdict() == "FAIL");
  CHECK(ran.integrity("lost") == 1'680);
  CHECK(ran.integrity("comments") > 1'600);
  CHECK(std::isinf(ran.p95()));
}

TEST_CASE("bench liars: 200 with a page is the wrong type: exit 4", "[bench_liars]") {
  const Ran ran = Together::take("page");
  CHECK(ran.outcome.status == 4);
  CHECK(ran.verdict() == "FAIL");
  CHECK(ran.blames("gate wrong_type"));
}

TEST_CASE("bench liars: a proxy that buffers is late, and loses nothing: exit 1", "[bench_liars]") {
  Lie lie;
  lie.gather = 800ms;
  const Ran ran = bench(lie, {"thresholds=[{\"expr\": \"delivery.p95 < 300ms\"}]"});
  CHECK(ran.outcome.status == 1);
  CHECK(ran.verdict() == "FAIL");
  CHECK(ran.p95() > 600);
  CHECK(ran.integrity("lost") == 0);
}

TEST_CASE("bench liars: a server slow to accept fails what was asked of connecting: exit 1",
          "[bench_liars]") {
  Lie lie;
  lie.slow_accept = 700ms;
  const Ran ran = bench(lie);
  CHECK(ran.outcome.status == 1);
  CHECK(ran.verdict() == "FAIL");
  CHECK(ran.report.at("connect").at("latency").at("percentiles").at("p95").get<double>() > 600);
}

TEST_CASE("bench liars: a storm of resets without resume loses what came between: exit 6",
          "[bench_liars]") {
  const Ran ran = Together::take("resets");
  CHECK(ran.outcome.status == 6);
  CHECK(ran.verdict() == "FAIL");
  CHECK(ran.report.at("resume").at("resumed") == 20);
  CHECK(ran.report.at("resume").at("gaps_silent").get<int>() > 0);
  CHECK(ran.integrity("lost") > 0);
}

TEST_CASE("bench liars: events stamped with commits that never were cannot be timed: exit 7",
          "[bench_liars]") {
  const rt::test::PrivatePostgres postgres;
  REQUIRE(rt::test::run({"rtctl", "setup", "--pg", postgres.dsn()}).status == 0);
  RunningTool server(
      {"rtctl", "serve", "--surfaces", "runs", "--listen", "127.0.0.1:0", "--pg", postgres.dsn()});
  REQUIRE(server.wait_for("streaming from"));
  REQUIRE(server.wait_for("url=http://"));
  const std::size_t at = server.error_text().find("url=http://") + 11;
  const rt::test::DroppingRelay relay(
      server.error_text().substr(at, server.error_text().find(' ', at) - at),
      [](std::string& bytes) {
        // The last digit of the commit LSN in "id: 000000014D7E3B28-00000002".
        for (std::size_t id = 0; (id = bytes.find("id: 0", id)) != std::string::npos; id += 20) {
          if (id + 20 < bytes.size()) bytes[id + 19] = bytes[id + 19] == '0' ? '1' : '0';
        }
      });
  const std::string path = report_path();
  Words words = {"rtbench",    "run",  "preset:runs", "--no-selftest",
                 "--progress", "none", "--report",    "json=" + path};
  add_settings(words, {"target.url=http://" + relay.address() + "/v1/runs/stream",
                       "target.pg=" + postgres.dsn(), "subscriptions.topics.count=10",
                       "load.connections=20", "load.rate=150/s", "phases.warm.hold=100ms",
                       "phases.main.hold=1500ms", "phases.drain.hold=2s", kMachineWaived});
  const Ran ran = ran_of(RunningTool(words).finish(), path);
  CHECK(ran.outcome.status == 7);
  CHECK(ran.verdict() == "INVALID");
  CHECK(ran.blames("gate clock"));
}

TEST_CASE("bench handicapped: stopped for 2 s, it does not blame the server: exit 7",
          "[bench_liars]") {
  const LyingServer server({});
  const std::string path = report_path();
  RunningTool tool(words_for(server.url(), path, {"phases.main.hold=4s"}));
  REQUIRE(tool.wait_for("main"));
  tool.signal(SIGSTOP);
  rt::test::linger(2s);
  tool.signal(SIGCONT);
  const Ran ran = ran_of(tool.finish(), path);
  CHECK(ran.outcome.status == 7);
  CHECK(ran.verdict() == "INVALID");
  CHECK(ran.blames("gate open_loop"));
}

TEST_CASE("bench handicapped: a fifth of a processor is not enough to judge by: exit 7",
          "[bench_liars]") {
  const LyingServer server({});
  const std::string path = report_path();
  RunningTool tool(words_for(server.url(), path));
  REQUIRE(tool.wait_for("main"));
  // What a quota does: it runs for 20 ms and stands for 80.
  for (int i = 0; i < 15; ++i) {
    tool.signal(SIGSTOP);
    rt::test::linger(80ms);
    tool.signal(SIGCONT);
    rt::test::linger(20ms);
  }
  const Ran ran = ran_of(tool.finish(), path);
  CHECK(ran.outcome.status == 7);
  CHECK(ran.verdict() == "INVALID");
}

TEST_CASE("bench handicapped: few descriptors are this machine's limit, and it says so: exit 5",
          "[bench_liars]") {
  const LyingServer server({});
  const std::string path = report_path();
  Words words = words_for(server.url(), path,
                          {"load.connections=400", "phases.ramp.max=1s", "load.rate=10/s"});
  words.front() = RT_BINARY_DIR "/bin/rtbench";
  // From the folder of the tools to the root: more steps up than there are.
  Words shell = {"../../../../../../../../../../../bin/sh", "-c", "ulimit -n 40 && exec \"$@\"",
                 "sh"};
  shell.insert(shell.end(), words.begin(), words.end());
  const Ran ran = ran_of(RunningTool(shell).finish(), path);
  CHECK(ran.outcome.status == 5);
}

TEST_CASE(
    "bench handicapped: where every subscriber reads through a straw there is nothing to "
    "judge: exit 7",
    "[bench_liars]") {
  const Ran ran = bench(
      {}, {"cohorts=[{\"name\": \"tiny\", \"share\": 1, \"read\": {\"bytes_per_s\": \"1KiB\", "
           "\"rcvbuf\": \"2KiB\"}}]"});
  CHECK(ran.outcome.status == 7);
  CHECK(ran.verdict() == "INVALID");
  CHECK(ran.blames("threshold"));  // nothing was measured
}

TEST_CASE("bench handicapped: one source address has too few ports: exit 5, before anything starts",
          "[bench_liars]") {
  // Of IPv6 there is one loopback address.
  const auto any = rt::io::parse_address("[::1]:0");
  const auto listener = rt::io::listen_on(*any, {});
  if (!listener) return;  // no IPv6 here
  const std::string port = std::to_string(rt::io::local_address(listener->get())->port());
  const std::string path = report_path();
  Words words =
      words_for("http://[::1]:" + port + "/topics/{topic}/events", path, {"load.connections=70k"});
  const Ran ran = ran_of(RunningTool(words).finish(), path);
  CHECK(ran.outcome.status == 5);
  CHECK_THAT(ran.outcome.err, Catch::Contains("port"));
}
