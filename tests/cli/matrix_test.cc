// Every verb, met with the same mishaps: an unknown flag, a closed pipe, no terminal; and each exit
// code, met at least once on purpose.
#include <cstdio>
#include <fstream>

#include "cli/verb_tree.h"
#include "integration/scripted_server.h"

namespace rt::test {
namespace {

TEST_CASE("cli: every verb refuses an unknown flag with exit 2, one line and a suggestion",
          "[cli][matrix]") {
  for (const std::string& tool : kTools) {
    each_verb(verb_tree(tool), [&](const nlohmann::json& verb) {
      std::vector<std::string> words = words_of(verb);
      words.push_back("--hepl");
      const Outcome outcome = run(words);
      INFO(verb["path"] << ": " << outcome.err);
      CHECK(outcome.status == 2);
      CHECK(outcome.out.empty());
      CHECK(outcome.err.find(tool + ": unknown option \"--hepl\"") == 0);
      CHECK(outcome.err.find("did you mean --help?") != std::string::npos);
    });
  }
}

TEST_CASE("cli: the help of every verb ends silently with 0 when nobody reads it",
          "[cli][matrix]") {
  for (const std::string& tool : kTools) {
    each_verb(verb_tree(tool), [&](const nlohmann::json& verb) {
      std::vector<std::string> words = words_of(verb);
      words.push_back("--help");
      RunningTool closed(words, {}, RunningTool::Output::closed);
      const Outcome outcome = closed.finish();
      INFO(verb["path"]);
      CHECK(outcome.status == 0);
      CHECK(outcome.err.empty());
    });
  }
}

TEST_CASE("cli: without a terminal no verb writes an escape byte, in help or complaint",
          "[cli][matrix]") {
  for (const std::string& tool : kTools) {
    each_verb(verb_tree(tool), [&](const nlohmann::json& verb) {
      for (const char* flag : {"--help", "--hepl"}) {
        std::vector<std::string> words = words_of(verb);
        words.emplace_back(flag);
        const Outcome outcome = run(words, {}, {{"TERM", "xterm-256color"}});
        INFO(verb["path"]);
        CHECK(outcome.out.find('\x1b') == std::string::npos);
        CHECK(outcome.err.find('\x1b') == std::string::npos);
      }
    });
  }
}

// A recording of one event, with a bit of its first block turned.
std::string damaged_archive() {
  const std::string path = std::string(RT_BINARY_DIR) + "/damaged.rtr";
  std::remove(path.c_str());
  ScriptedServer server([](Peer& peer, std::size_t) {
    peer.read_request();
    peer.open_stream();
    peer.send("id: 1\ndata: one\n\n");
    peer.hold();
  });
  const Outcome recorded = run({"rtreplay", "record", "sse", server.url(), "-o", path, "-n", "1"});
  INFO(recorded.err);
  REQUIRE(recorded.status == 0);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(0, std::ios::end);
  const auto middle = file.tellg() / 2;
  file.seekg(middle);
  const char turned = static_cast<char>(file.get() ^ 1);
  file.seekp(middle);
  file.put(turned);
  return path;
}

TEST_CASE("cli: each exit code has its occasion", "[cli][matrix]") {
  const auto status = [](const std::vector<std::string>& words) { return run(words).status; };
  ScriptedServer server([](Peer& peer, std::size_t) {
    peer.read_request();
    peer.answer("404 Not Found", "", "no");
  });
  const std::string nobody = "http://127.0.0.1:1/";  // port 1 listens nowhere
  CHECK(status({"rtctl", "codes"}) == 0);
  CHECK(status({"rtctl", "examples", "no-such-thing"}) == 1);
  CHECK(status({"rtctl", "sub", "nothing"}) == 2);
  CHECK(status({"rtbench", "validate", "/no/such/scenario.json"}) == 2);
  CHECK(status({"rtctl", "sub", nobody, "--max-retries", "0"}) == 3);
  CHECK(status({"rtctl", "sub", server.url()}) == 4);
  CHECK(status({"rtreplay", "verify", damaged_archive()}) == 6);
  for (const auto& [number, expected] : {std::pair(SIGINT, 130), std::pair(SIGTERM, 143)}) {
    ScriptedServer open([](Peer& peer, std::size_t) {
      peer.read_request();
      peer.open_stream();
      peer.send("data: x\n\n");
      peer.hold();
    });
    RunningTool sub({"rtctl", "sub", open.url(), "--data-only"});
    REQUIRE(sub.wait_for("x\n"));
    sub.signal(number);
    CHECK(sub.finish().status == expected);
  }
}

TEST_CASE("cli: --version --json names the libraries that are inside", "[cli]") {
  for (const std::string& tool : kTools) {
    const Outcome outcome = run({tool, "--version", "--json"});
    CHECK(outcome.status == 0);
    const auto version = nlohmann::json::parse(outcome.out);
    CHECK(version["tool"] == tool);
    const std::string libraries = version["libraries"].dump();
    for (const char* name : {"libcurl/", "libpq/1", "hiredis/", "nlohmann_json/3", "CLI11/2"}) {
      CHECK(libraries.find(name) != std::string::npos);
    }
  }
}

}  // namespace
}  // namespace rt::test
