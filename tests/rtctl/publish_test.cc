// rtctl publish against a scripted server; help and cheat sheet.
#include <catch2/catch.hpp>

#include "integration/running_tool.h"
#include "integration/scripted_server.h"

namespace rt::test {
namespace {

std::string body(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

TEST_CASE("publish: a run is posted as one JSON row, and its id is printed", "[rtctl][publish]") {
  std::string request;
  {
    ScriptedServer server([&](Peer& peer, std::size_t) {
      request = peer.read_request();
      peer.answer("200 OK", "Content-Type: application/json\r\n", "{\"id\":\"r1\"}\n");
    });
    const Outcome end = run({"rtctl", "pub", "run", "--id", "r1", "--status", "running", "--tag",
                             "a", "--url", server.url("/")});
    CHECK(end.status == 0);
    CHECK(end.out == "r1\n");
    CHECK(end.err == "");
  }
  CHECK(request.rfind("POST /v1/runs HTTP/1.1\r\n", 0) == 0);
  CHECK(request.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(body(request) == R"({"id":"r1","status":"running","tags":["a"]})");
}

TEST_CASE("publish: rows from standard input go out in order, over one connection",
          "[rtctl][publish]") {
  std::vector<std::string> bodies;
  {
    ScriptedServer server([&](Peer& peer, std::size_t) {
      for (std::string request; !(request = peer.read_request()).empty();) {
        bodies.push_back(body(request));
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      }
    });
    const Outcome end = run({"rtctl", "publish", "run", "-"},
                            "{\"id\":\"a\"}\n\n{\"id\":\"b\", \"n\":1}\r\nnot json\n{\"id\":\"c\"}",
                            {{"RT_URL", server.url("")}});
    CHECK(end.status == 2);
    CHECK(end.out == "a\nb\n");
    CHECK(end.err.find("input line 4: a row is not a JSON object") != std::string::npos);
    CHECK(server.connections() == 1);
  }
  CHECK(bodies == std::vector<std::string>{"{\"id\":\"a\"}", "{\"id\":\"b\",\"n\":1}"});
}

TEST_CASE("publish: the server's refusal is shown with its reason", "[rtctl][publish]") {
  struct Refusal {
    std::string status;
    int exit;
  };
  const auto refusal = GENERATE(Refusal{"400 Bad", 2}, Refusal{"404 No", 4}, Refusal{"403 No", 4},
                                Refusal{"503 Busy", 3});
  ScriptedServer server([&](Peer& peer, std::size_t) {
    peer.read_request();
    peer.answer(refusal.status, "", "the reason\n");
  });
  const Outcome end = run({"rtctl", "pub", "run", "--id", "r1", "--url", server.url("")});
  CHECK(end.status == refusal.exit);
  CHECK(end.out == "");
  CHECK(end.err.find(refusal.status.substr(0, 3) + ": the reason") != std::string::npos);
}

TEST_CASE("publish: bad usage is exit 2, an unreachable target exit 3", "[rtctl][publish]") {
  CHECK(run({"rtctl", "publish", "run"}).status == 2);
  CHECK(run({"rtctl", "publish", "run", "x"}).status == 2);
  CHECK(run({"rtctl", "publish", "run", "--id", "r1", "--data", "{"}).status == 2);
  CHECK(run({"rtctl", "publish", "run", "--id", "r", "--pg", "x", "--url", "y"}).status == 2);
  CHECK(run({"rtctl", "publish", "run", "--id", "r", "--url", "http://127.0.0.1:1"}).status == 3);
  CHECK(run({"rtctl", "publish", "run", "--id", "r", "--pg", "host=127.0.0.1 port=1"}).status == 3);
  CHECK(run({"rtctl", "setup"}).status == 2);
  CHECK(run({"rtctl", "setup", "--pg", "host=127.0.0.1 port=1"}).status == 3);
}

TEST_CASE("examples: all of them, those that mention a word, or exit 1", "[rtctl][examples]") {
  const Outcome all = run({"rtctl", "examples"});
  CHECK(all.status == 0);
  CHECK(all.out.find("rtctl sub ") != std::string::npos);
  const Outcome some = run({"rtctl", "examples", "setup"});
  CHECK(some.out.find("rtctl setup") != std::string::npos);
  CHECK(some.out.size() < all.out.size());
  CHECK(run({"rtctl", "examples", "nonsense"}).status == 1);
}

TEST_CASE("help: every verb shows examples", "[rtctl][examples]") {
  const std::vector<std::vector<std::string>> verbs = {
      {"subscribe"}, {"publish", "run"}, {"setup"}, {"examples"}};
  for (std::vector<std::string> words : verbs) {
    words.insert(words.begin(), "rtctl");
    words.push_back("--help");
    const Outcome help = run(words);
    INFO(words[1]);
    CHECK(help.status == 0);
    CHECK(help.out.find("examples:\n  rtctl ") != std::string::npos);
  }
}

}  // namespace
}  // namespace rt::test
