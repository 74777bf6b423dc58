// rtreplay record sse, notify and redis: events into an archive, and going on with it.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/private_redis.h"
#include "integration/running_tool.h"
#include "integration/scripted_server.h"
#include "temp_folder.h"

namespace rt::test {
namespace {

using nlohmann::json;
using Lines = std::vector<std::string>;

std::vector<json> cat(const std::string& archive) {
  const Outcome printed = run({"rtreplay", "cat", archive});
  REQUIRE(printed.status == 0);
  std::vector<json> all;
  std::istringstream lines(printed.out);
  for (std::string line; std::getline(lines, line);) all.push_back(json::parse(line));
  return all;
}

// Data of events; "(gap)" where one is recorded.
Lines data_of(const std::string& archive) {
  Lines all;
  for (const json& line : cat(archive)) {
    all.push_back(line["type"] == "gap" ? "(gap)" : line["data"].get<std::string>());
  }
  return all;
}

// The archive has been written up to its `count`-th event.
bool recorded(const std::string& archive, std::uint64_t count) {
  return eventually(std::chrono::seconds(20), [&] {
    const Outcome info = run({"rtreplay", "info", archive, "--json"});
    return info.status == 0 && json::parse(info.out)["events"] >= count;
  });
}

TEST_CASE("record sse: events with id, name and exact data, over a lost connection",
          "[record_events]") {
  ScriptedServer server([](Peer& peer, std::size_t number) {
    const std::string request = peer.read_request();
    peer.open_stream();
    if (number == 0) {
      peer.send(
          "retry: 1\nid: 1\nevent: delta\ndata: {\"a\":  1.0}\n\nid: 2\ndata: two\ndata: lines\n\n"
          "data: cut o");
      peer.wait_until_acknowledged();
      peer.reset();
      return;
    }
    const bool resumed = request.find("Last-Event-ID: 2\r\n") != request.npos;
    peer.send(resumed ? "id: 3\ndata: Grüße\n\n" : "data: from the beginning\n\n");
    peer.hold();
  });
  const TempFolder folder;
  const std::string archive = folder / "a.rtr";
  const Outcome end =
      run({"rtreplay", "record", "sse", server.url("/s?token=secret"), "-o", archive, "-n", "3"});
  INFO(end.err);
  CHECK(end.status == 0);
  const auto lines = cat(archive);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0]["id"] == "1");
  CHECK(lines[0]["event"] == "delta");
  CHECK(data_of(archive) == Lines{"{\"a\":  1.0}", "two\nlines", "Grüße"});
  CHECK(run({"rtreplay", "verify", archive}).status == 0);
  const json info = json::parse(run({"rtreplay", "info", archive, "--json"}).out);
  CHECK(info["events"] == 3);
  CHECK(info.dump().find("secret") == std::string::npos);
}

TEST_CASE("record sse: started again it goes on after the last event of the archive",
          "[record_events]") {
  ScriptedServer server([](Peer& peer, std::size_t) {
    const std::string request = peer.read_request();
    peer.open_stream();
    const std::size_t at = request.find("Last-Event-ID: ");
    const int last = at == request.npos ? 0 : std::stoi(request.substr(at + 15));
    for (int i = last + 1; i <= last + 3; ++i) peer.send(fmt::format("id: {0}\ndata: {0}\n\n", i));
    peer.hold();
  });
  const TempFolder folder;
  const std::string archive = folder / "rec";
  const Lines words = {"rtreplay", "record", "sse", server.url(), "-o", archive};
  RunningTool killed(words);
  REQUIRE(recorded(archive, 3));
  killed.signal(SIGKILL);
  CHECK(killed.finish().status == 128 + SIGKILL);
  Lines again = words;
  again.insert(again.end(), {"--count", "3"});
  CHECK(run(again).status == 0);
  CHECK(data_of(archive) == Lines{"1", "2", "3", "4", "5", "6"});
}

TEST_CASE("record sse: a stream that is none is one clear error", "[record_events]") {
  ScriptedServer server([](Peer& peer, std::size_t) {
    peer.read_request();
    peer.answer("404 Not Found", "", "no");
  });
  const TempFolder folder;
  const Outcome end = run({"rtreplay", "record", "sse", server.url(), "-o", folder / "a.rtr"});
  CHECK(end.status == 4);
  CHECK(end.err.find("404") != std::string::npos);
}

TEST_CASE("record notify: channel and payload; a break between two runs is a gap",
          "[record_events]") {
  const PrivatePostgres postgres;
  const TempFolder folder;
  const std::string archive = folder / "n.rtr";
  const Lines words = {"rtreplay",     "record", "notify", "jobs", "Odd name", "--pg",
                       postgres.dsn(), "-o",     archive,  "-n",   "2"};
  const auto listening = [&] {
    return eventually(std::chrono::seconds(20), [&] {
      return postgres.value(
                 "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
                 " AND state = 'idle'") == "1";
    });
  };
  for (int life = 0; life < 2; ++life) {
    RunningTool recorder(words);
    REQUIRE(listening());
    postgres.exec("SELECT pg_notify('jobs', '{\"n\":  1}'); NOTIFY \"Odd name\", 'Grüße 🌍'");
    CHECK(recorder.finish().status == 0);
    postgres.exec("NOTIFY jobs, 'nobody listens'");
  }
  CHECK(data_of(archive) == Lines{"{\"n\":  1}", "Grüße 🌍", "(gap)", "{\"n\":  1}", "Grüße 🌍"});
  CHECK(cat(archive)[1]["channel"] == "Odd name");
  CHECK(cat(archive)[1]["type"] == "notify");
}

TEST_CASE("record redis: messages of patterns, each once", "[record_events]") {
  const PrivateRedis redis;
  const TempFolder folder;
  const std::string archive = folder / "r.rtr";
  RunningTool recorder({"rtreplay", "record", "redis", "gym:*", "gym:1:*", "--redis", redis.url(),
                        "-o", archive, "-n", "2"});
  REQUIRE(eventually(std::chrono::seconds(20), [&] {
    return redis.command({"PUBSUB", "NUMPAT"}).integer == 2;
  }));
  redis.command({"PUBLISH", "gym:1:a", "exact  \xff"});
  redis.command({"PUBLISH", "gym:2:b", "two"});
  CHECK(recorder.finish().status == 0);
  const auto lines = cat(archive);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["type"] == "redis");
  CHECK(lines[0]["channel"] == "gym:1:a");
  CHECK(lines[0]["data"]["base64"] == "ZXhhY3QgIP8=");
  CHECK_FALSE(lines[0].contains("id"));
  CHECK(lines[1]["data"] == "two");
}

TEST_CASE("record redis: a stream killed and started again has each entry once",
          "[record_events]") {
  const PrivateRedis redis;
  const auto add = [&](int first, int last) {
    for (int i = first; i <= last; ++i) {
      redis.command({"XADD", "s", fmt::format("{}-0", i), "data", std::to_string(i)});
    }
  };
  const TempFolder folder;
  const std::string archive = folder / "rec";
  const Lines words = {"rtreplay", "record", "redis",   "--stream",  "s",  "t",
                       "--since",  "begin",  "--redis", redis.url(), "-o", archive};
  add(1, 50);
  for (int life = 1; life <= 3; ++life) {
    RunningTool recorder(words);
    REQUIRE(recorded(archive, static_cast<std::uint64_t>(life) * 50));
    recorder.signal(SIGKILL);
    CHECK(recorder.finish().status == 128 + SIGKILL);
    add(life * 50 + 1, life * 50 + 50);
  }
  redis.command({"XADD", "t", "*", "a", "1", "b", "2"});
  Lines last = words;
  last.insert(last.end(), {"--count", "51"});
  const Outcome end = run(last);
  INFO(end.err);
  CHECK(end.status == 0);
  Lines due;
  for (int i = 1; i <= 200; ++i) due.push_back(std::to_string(i));
  due.push_back(R"({"a":"1","b":"2"})");
  Lines found = data_of(archive);
  std::sort(found.begin(), found.end());
  std::sort(due.begin(), due.end());
  CHECK(found == due);
  CHECK(cat(archive)[0]["id"] == "1-0");
}

TEST_CASE("record notify, redis: a server that is not there leaves no archive", "[record_events]") {
  const TempFolder folder;
  const std::string archive = folder / "a.rtr";
  CHECK(run({"rtreplay", "record", "redis", "x", "--redis", "127.0.0.1:1", "-o", archive}).status ==
        3);
  CHECK(run({"rtreplay", "record", "notify", "x", "--pg", "host=127.0.0.1 port=1", "-o", archive})
            .status == 3);
  CHECK(run({"rtreplay", "record", "redis", "x", "--since", "noon", "-o", archive}).status == 2);
  CHECK_FALSE(std::filesystem::exists(archive));
}

}  // namespace
}  // namespace rt::test
