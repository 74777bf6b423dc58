// rtctl subscribe --state: a tail that is killed anywhere goes on without a seam.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "integration/running_tool.h"
#include "integration/scripted_server.h"
#include "temp_folder.h"

namespace rt::test {
namespace {

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Serves events 0, 1, 2, ... with their number as id and data, from the one after Last-Event-ID on,
// and holds the stream open after `until`.
ScriptedServer::Script numbered(std::size_t until) {
  return [until](Peer& peer, std::size_t) {
    const std::string request = peer.read_request();
    const std::string name = "Last-Event-ID: ";
    const std::size_t at = request.find(name);
    std::size_t next =
        at == std::string::npos ? 0 : std::stoul(request.substr(at + name.size())) + 1;
    peer.open_stream();
    for (; next < until; ++next) {
      const std::string n = std::to_string(next);
      if (!peer.send("id: " + n + "\ndata: " + n + "\n\n")) return;
    }
    peer.hold();
  };
}

TEST_CASE("subscribe: a tail that is killed again and again misses nothing and repeats nothing",
          "[rtctl][state]") {
  constexpr std::size_t kEvents = 20'000;
  const TempFolder folder;
  ScriptedServer server(numbered(kEvents));
  const std::vector<std::string> tail = {"rtctl",           "sub",  server.url(),
                                         "--template",      "{id}", "--state",
                                         folder / "cursor", "-o",   folder / "out"};
  // Killed each time its output has grown by a bit, wherever it is then.
  std::size_t seen = 0;
  for (int kills = 0; kills < 20; ++kills) {
    RunningTool victim(tail);
    while (content(folder / "out").size() <= seen && content(folder / "cursor").empty()) {
      ::sched_yield();
    }
    victim.signal(SIGKILL);
    CHECK(victim.finish().status == 137);
    seen = content(folder / "out").size();
  }
  std::vector<std::string> rest = tail;
  rest.insert(rest.end(), {"--until", std::to_string(kEvents - 1)});
  const Outcome end = run(rest);
  INFO(end.err);
  CHECK(end.status == 0);
  std::string expected;
  for (std::size_t i = 0; i < kEvents; ++i) expected += std::to_string(i) + "\n";
  CHECK((content(folder / "out") == expected));
}

TEST_CASE("subscribe: at every moment the state names the last event that its bytes hold",
          "[rtctl][state]") {
  // Events come faster than output is flushed: the buffer fills up between two reads.
  constexpr std::size_t kEvents = 20'000;
  const TempFolder folder;
  ScriptedServer server(numbered(kEvents));
  RunningTool tail({"rtctl", "sub", server.url(), "--template", "{id} " + std::string(200, '.'),
                    "--state", folder / "cursor", "-o", folder / "out"});
  std::string id;
  while (id != std::to_string(kEvents - 1)) {
    const std::string text = content(folder / "cursor");
    if (text.empty()) continue;
    const auto cursor = nlohmann::json::parse(text);
    id = cursor["id"];
    const std::string out =
        content(folder / "out").substr(0, cursor["output_bytes"].get<std::size_t>());
    const std::size_t last = out.rfind('\n', out.size() - 2);
    const std::size_t begin = last == std::string::npos ? 0 : last + 1;
    REQUIRE(out.substr(begin, out.find(' ', begin) - begin) == id);
  }
}

TEST_CASE("subscribe: without ids a restarted tail keeps what is in its output", "[rtctl][state]") {
  const TempFolder folder;
  ScriptedServer server([](Peer& peer, std::size_t number) {
    peer.read_request();
    peer.open_stream();
    peer.send("data: " + std::to_string(number) + "\n\n");
    peer.hold();
  });
  const std::vector<std::string> tail = {
      "rtctl",           "sub", server.url(),   "--data-only", "--state",
      folder / "cursor", "-o",  folder / "out", "-n",          "1"};
  CHECK(run(tail).status == 0);
  CHECK(run(tail).status == 0);
  CHECK(content(folder / "out") == "0\n1\n");
}

TEST_CASE("subscribe: what was written beyond the cursor is cut off and comes again",
          "[rtctl][state]") {
  const TempFolder folder;
  ScriptedServer server(numbered(5));
  std::ofstream(folder / "out") << "0\n1\n2\n3\n4\n3 torn";
  std::ofstream(folder / "cursor")
      << R"({"v":1,"stream":")" + server.url() + R"(","id":"1","output_bytes":4})";
  const Outcome end = run({"rtctl", "sub", server.url(), "--data-only", "--state",
                           folder / "cursor", "-o", folder / "out", "--until", "4"});
  INFO(end.err);
  CHECK(end.status == 0);
  CHECK(content(folder / "out") == "0\n1\n2\n3\n4\n");
  CHECK(content(folder / "cursor") ==
        R"({"v":1,"stream":")" + server.url() + R"(","id":"4","output_bytes":10})" + "\n");
}

TEST_CASE("subscribe: a state that does not fit is refused before anything is touched",
          "[rtctl][state]") {
  const TempFolder folder;
  const auto refused = [&](const std::string& state, const std::string& expected) {
    std::ofstream(folder / "out") << "kept";
    std::ofstream(folder / "cursor") << state;
    const Outcome end = run({"rtctl", "sub", "http://127.0.0.1:1/x", "--state", folder / "cursor",
                             "-o", folder / "out"});
    INFO(end.err);
    CHECK(end.status == 2);
    CHECK(end.err.find(expected) != std::string::npos);
    CHECK(content(folder / "out") == "kept");
  };
  refused("rubbish", "is not the state of a subscription");
  refused(R"({"v":1,"stream":"http://other/","id":"1"})", "belongs to http://other/");
  refused(R"({"v":1,"stream":"http://127.0.0.1:1/x","id":"1","output_bytes":99})",
          "has 4 bytes where its state says 99");
}

TEST_CASE("subscribe: only what passes the filters is printed, but the cursor passes over the rest",
          "[rtctl][state]") {
  const TempFolder folder;
  ScriptedServer server(numbered(10));
  const Outcome end = run({"rtctl", "sub", server.url(), "--data-only", "--filter", "/ >= 3",
                           "--filter", "/ != 5", "--until", "7", "--state", folder / "cursor"});
  CHECK(end.status == 0);
  CHECK(end.out == "3\n4\n6\n7\n");
  CHECK(content(folder / "cursor").find(R"("id":"7")") != std::string::npos);
}

TEST_CASE("subscribe: --exit-at-end stops where a stream says that its past ends, or goes quiet",
          "[rtctl][subscribe]") {
  const bool says = GENERATE(true, false);
  ScriptedServer server([says](Peer& peer, std::size_t) {
    peer.read_request();
    peer.open_stream();
    peer.send("data: 1\n\ndata: 2\n\n");
    if (says) peer.send(": caught up\n\ndata: new\n\n");
    peer.hold();
  });
  const Outcome end = run({"rtctl", "sub", server.url(), "--data-only", "--exit-at-end"});
  CHECK(end.status == 0);
  CHECK(end.out == "1\n2\n");
}

TEST_CASE("subscribe: --dump writes a file an event, or NUL-ended data", "[rtctl][dump]") {
  const TempFolder folder;
  ScriptedServer server(numbered(3));
  const Outcome files = run({"rtctl", "sub", server.url(), "--dump", folder / "d", "--count", "3"});
  CHECK(files.status == 0);
  CHECK(files.out.empty());
  CHECK(content(folder / "d/00000002-message-1") == "1");
  const Outcome nul = run({"rtctl", "sub", server.url(), "--dump", "-", "--count", "2"});
  CHECK(nul.out == std::string("0\0"
                               "1\0",
                               4));
}

TEST_CASE("subscribe: --latency and --delta are fields of NDJSON, csv has a heading",
          "[rtctl][format]") {
  ScriptedServer server(numbered(2));
  const Outcome json = run({"rtctl", "sub", server.url(), "--json", "--delta", "--count", "1"});
  CHECK(json.out.find(R"("delta_ms":0.000)") != std::string::npos);
  const Outcome csv = run({"rtctl", "sub", server.url(), "--format", "csv", "--count", "1"});
  CHECK(csv.out.find("recv,topic,event,id,data\r\n") == 0);
  CHECK(csv.out.find(",,message,0,0\r\n") != std::string::npos);
}

}  // namespace
}  // namespace rt::test
