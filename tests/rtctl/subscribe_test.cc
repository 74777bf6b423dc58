// rtctl subscribe against a scripted server: what is printed, when it ends, and with which status.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "integration/on_terminal.h"
#include "integration/running_tool.h"
#include "integration/scripted_server.h"

namespace rt::test {
namespace {

std::vector<nlohmann::json> records(const std::string& out) {
  std::vector<nlohmann::json> all;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

std::string header(const std::string& request, const std::string& name) {
  const std::size_t at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "(none)";
  const std::size_t start = at + name.size() + 4;
  return request.substr(start, request.find("\r\n", start) - start);
}

// Serves one stream and leaves it open.
ScriptedServer::Script stream_of(const std::string& bytes) {
  return [bytes](Peer& peer, std::size_t) {
    peer.read_request();
    peer.open_stream();
    peer.send(bytes);
    peer.hold();
  };
}

// Answers every request in the same way.
ScriptedServer::Script always(const std::string& status, const std::string& more,
                              const std::string& body) {
  return [=](Peer& peer, std::size_t) {
    peer.read_request();
    peer.answer(status, more, body);
  };
}

TEST_CASE("subscribe: NDJSON shows id, event and the exact data of each event",
          "[rtctl][subscribe]") {
  ScriptedServer server(
      stream_of("id: 7\nevent: delta\ndata: {\"a\":  1.0}\n\n"
                "data: two\ndata: \"lines\"\\\n\n"
                ": beat\n\nid\ndata\n\n"));
  const Outcome end =
      run({"rtctl", "subscribe", server.url(), "--format", "ndjson", "--count", "3"});
  CHECK(end.status == 0);
  CHECK(end.err == "");
  const auto got = records(end.out);
  REQUIRE(got.size() == 3);
  for (const auto& record : got) {
    CHECK(record["v"] == 1);
    CHECK(record["type"] == "event");
    CHECK(record["recv"].get<std::string>().size() ==
          std::string("2026-01-01T00:00:00.000000Z").size());
  }
  CHECK(got[0]["id"] == "7");
  CHECK(got[0]["event"] == "delta");
  CHECK(got[0]["data"] == "{\"a\":  1.0}");
  CHECK(got[1]["id"] == "7");
  CHECK(got[1]["event"] == "message");
  CHECK(got[1]["data"] == "two\n\"lines\"\\");
  CHECK(got[2]["id"] == "");
  CHECK(got[2]["data"] == "");
}

TEST_CASE("subscribe: an event is printed as soon as it is there", "[rtctl][subscribe]") {
  ScriptedServer server(stream_of("data: first\n\n"));
  RunningTool sub({"rtctl", "sub", server.url(), "--data-only"});
  REQUIRE(sub.wait_for("first\n"));  // the stream is still open
  sub.signal(SIGINT);
  const Outcome end = sub.finish();
  CHECK(end.status == 130);
  CHECK(end.err.find("interrupted: 1 event, ") != std::string::npos);
  CHECK(end.err.find("0 reconnects") != std::string::npos);
}

TEST_CASE("subscribe: SIGUSR1 says how it fares, and changes nothing", "[rtctl][subscribe]") {
  ScriptedServer server(stream_of("data: first\n\n"));
  RunningTool sub({"rtctl", "sub", server.url(), "--data-only"});
  REQUIRE(sub.wait_for("first\n"));
  sub.signal(SIGUSR1);
  REQUIRE(sub.wait_for("so far: 1 event, 5 B"));
  sub.signal(SIGTERM);
  CHECK(sub.finish().status == 143);
}

TEST_CASE("subscribe: a stream cut inside an event resumes after the last whole one",
          "[rtctl][subscribe]") {
  const bool abortive = GENERATE(false, true);
  std::vector<std::string> ids;
  {
    ScriptedServer server([&](Peer& peer, std::size_t number) {
      ids.push_back(header(peer.read_request(), "Last-Event-ID"));
      peer.open_stream();
      peer.send("retry: 0\n\nid: " + std::to_string(number) + "\ndata: n" + std::to_string(number) +
                "\n\nid: x\ndata: cut");
      if (number >= 3) return peer.hold();
      if (abortive) {
        // What was sent must have arrived before the reset discards it.
        peer.wait_until_acknowledged();
        peer.reset();
      } else {
        peer.finish();
      }
    });
    const Outcome end = run({"rtctl", "sub", server.url(), "--data-only", "--count", "4"});
    CHECK(end.status == 0);
    CHECK(end.out == "n0\nn1\nn2\nn3\n");
  }
  CHECK(ids == std::vector<std::string>{"(none)", "0", "1", "2"});
}

TEST_CASE("subscribe: of 10,000 streams that each die inside an event, none is lost or doubled",
          "[rtctl][subscribe]") {
  constexpr std::size_t kStreams = 10'000;
  ScriptedServer server([&](Peer& peer, std::size_t number) {
    const std::string request = peer.read_request();
    // The server goes on after the id that it is told; the event after it is always cut off.
    const std::string last = header(request, "Last-Event-ID");
    const std::size_t next = last == "(none)" ? 0 : std::stoul(last) + 1;
    const std::string frame =
        "retry: 0\nid: " + std::to_string(next) + "\ndata: " + std::to_string(next) + "\n\n";
    const std::string torn = "id: " + std::to_string(next + 1) + "\ndata: torn\n";
    peer.open_stream();
    peer.send(frame + torn.substr(0, 1 + number % torn.size()));
    peer.wait_until_acknowledged();
    if (number % 2 == 0) peer.reset();
  });
  const Outcome end =
      run({"rtctl", "sub", server.url(), "--data-only", "-q", "--count", std::to_string(kStreams)});
  CHECK(end.status == 0);
  std::string expected;
  for (std::size_t i = 0; i < kStreams; ++i) expected += std::to_string(i) + "\n";
  CHECK(end.out == expected);
}

TEST_CASE("subscribe: gzip is decoded flush by flush, and needs no trailer", "[rtctl][subscribe]") {
  // One gzip stream of "retry: 0, id: 1, data: first" and, after a sync flush, "id: 2, data:
  // second"; it ends without a trailer, as servers that close in mid-stream leave it.
  const std::string first(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\x03\x2a\x4a\x2d\x29\xaa\xb4\x52\x30\xe0\xe2\xca\x4c\xb1"
      "\x52\x30\xe4\x4a\x49\x2c\x49\xb4\x52\x48\xcb\x2c\x2a\x2e\xe1\xe2\x02\x00\x00\x00\xff\xff",
      45);
  const std::string second(
      "\x02\x09\x19\x41\x85\x8a\x53\x93\xf3\xf3\x52\xb8\xb8\x00\x00\x00\x00\xff\xff", 19);
  std::vector<std::string> requests;
  {
    ScriptedServer server([&](Peer& peer, std::size_t) {
      requests.push_back(peer.read_request());
      peer.open_stream("Content-Encoding: gzip\r\n");
      peer.send(first);
      if (requests.size() == 2) return peer.hold();
      peer.send(second);
    });
    const Outcome end =
        run({"rtctl", "sub", server.url(), "--data-only", "--compressed", "--count", "3"});
    CHECK(end.status == 0);
    CHECK(end.out == "first\nsecond\nfirst\n");
  }
  REQUIRE(requests.size() == 2);
  CHECK(header(requests[0], "Accept-Encoding").find("gzip") != std::string::npos);
  CHECK(header(requests[1], "Last-Event-ID") == "2");
}

TEST_CASE("subscribe: headers of the user are repeated on every attempt", "[rtctl][subscribe]") {
  std::vector<std::string> requests;
  {
    ScriptedServer server([&](Peer& peer, std::size_t number) {
      requests.push_back(peer.read_request());
      peer.open_stream();
      peer.send("retry: 0\n\ndata: " + std::to_string(number) + "\n\n");
      if (number == 1) peer.hold();
    });
    CHECK(run({"rtctl", "sub", server.url(), "--count", "2", "-H", "X-Tenant: 7"}).status == 0);
  }
  REQUIRE(requests.size() == 2);
  for (const std::string& request : requests) {
    CHECK(header(request, "X-Tenant") == "7");
    CHECK(header(request, "Accept") == "text/event-stream");
    CHECK(header(request, "Cache-Control") == "no-cache");
  }
}

TEST_CASE("subscribe: a stream without ids that breaks is a gap, and said to be one",
          "[rtctl][subscribe]") {
  ScriptedServer server([&](Peer& peer, std::size_t number) {
    peer.read_request();
    peer.open_stream();
    peer.send("retry: 0\n\ndata: " + std::to_string(number) + "\n\n");
    if (number == 1) peer.hold();
  });
  const Outcome end = run({"rtctl", "sub", server.url(), "--json", "--count", "2"});
  CHECK(end.status == 0);
  const auto got = records(end.out);
  REQUIRE(got.size() == 3);
  CHECK(got[1]["type"] == "gap");
  CHECK(end.err.find("gap: events may be missing") != std::string::npos);
}

TEST_CASE("subscribe: what the server refuses ends it with exit 4 and one line",
          "[rtctl][subscribe]") {
  struct Refusal {
    std::string status;
    std::string more;
    std::string reason;
  };
  const auto refusal = GENERATE(
      Refusal{"404 Not Found", "", "404: no such thing"}, Refusal{"401 Unauthorized", "", "401"},
      Refusal{"403 Forbidden", "", "403"}, Refusal{"204 No Content", "", "204"},
      Refusal{"200 OK", "Content-Type: text/html\r\n", "\"text/html\""},
      Refusal{"200 OK", "", "not text/event-stream"}, Refusal{"301 Moved Permanently", "", "301"});
  const bool strict = GENERATE(false, true);
  ScriptedServer server(
      always(refusal.status, refusal.more, refusal.status[0] == '4' ? "no such thing\n" : ""));
  std::vector<std::string> words = {"rtctl", "sub", server.url()};
  if (strict) words.push_back("--strict");
  const Outcome end = run(words);
  INFO(refusal.status << " " << end.err);
  CHECK(end.status == 4);
  CHECK(end.out == "");
  CHECK(end.err.rfind("rtctl: cannot subscribe to " + server.url() + ": ", 0) == 0);
  CHECK(end.err.find(refusal.reason) != std::string::npos);
  CHECK(server.connections() == 1);
}

TEST_CASE("subscribe: 503 with Retry-After is tried again, unless --strict", "[rtctl][subscribe]") {
  ScriptedServer server([](Peer& peer, std::size_t number) {
    peer.read_request();
    if (number == 0) return peer.answer("503 Busy", "Retry-After: 0\r\n", "later");
    peer.open_stream();
    peer.send("data: here\n\n");
    peer.hold();
  });
  SECTION("durable") {
    const Outcome end = run({"rtctl", "sub", server.url(), "--data-only", "--count", "1"});
    CHECK(end.status == 0);
    CHECK(end.out == "here\n");
    CHECK(end.err.find("not connected: the server answered 503") != std::string::npos);
  }
  SECTION("strict") {
    const Outcome end = run({"rtctl", "sub", server.url(), "--strict"});
    CHECK(end.status == 4);
    CHECK(server.connections() == 1);
  }
}

TEST_CASE("subscribe: retries that are spent end it with exit 3", "[rtctl][subscribe]") {
  std::string url;
  {
    ScriptedServer gone([](Peer&, std::size_t) {});
    url = gone.url();
  }
  const Outcome end = run({"rtctl", "sub", url, "--max-retries", "0"});
  CHECK(end.status == 3);
  CHECK(end.err.find("connect: ") != std::string::npos);
  CHECK(end.err.find(url) != std::string::npos);
  const Outcome once = run({"rtctl", "sub", url, "--no-reconnect"});
  CHECK(once.status == 3);
  CHECK(once.err.find("cannot subscribe to " + url + ": connect: ") != std::string::npos);
}

TEST_CASE("subscribe: --no-reconnect ends with the stream, in order or not", "[rtctl][subscribe]") {
  const bool abortive = GENERATE(false, true);
  ScriptedServer server([&](Peer& peer, std::size_t) {
    peer.read_request();
    peer.open_stream();
    peer.send("data: only\n\n");
    peer.wait_until_acknowledged();
    if (abortive) peer.reset();
  });
  const Outcome end = run({"rtctl", "sub", server.url(), "--no-reconnect", "--data-only"});
  CHECK(end.status == (abortive ? 3 : 0));
  CHECK(end.out == "only\n");
  CHECK(server.connections() == 1);
}

TEST_CASE("subscribe: redirects are followed, also when they keep the method",
          "[rtctl][subscribe]") {
  const std::string status = GENERATE(std::string("301 Moved"), std::string("307 Temporary"));
  ScriptedServer server([&](Peer& peer, std::size_t) {
    if (peer.read_request().rfind("GET /stream ", 0) == 0) {
      return peer.answer(status, "Location: /moved\r\nContent-Type: text/plain\r\n", "over there");
    }
    peer.send("HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream;charset=x\r\n\r\ndata: here\n\n");
    peer.hold();
  });
  const Outcome end = run({"rtctl", "sub", server.url(), "--data-only", "--count", "1"});
  CHECK(end.status == 0);
  CHECK(end.out == "here\n");
}

TEST_CASE("subscribe: redirects in a circle end it with exit 4", "[rtctl][subscribe]") {
  ScriptedServer server(always("302 Found", "Location: /stream\r\n", ""));
  const Outcome end = run({"rtctl", "sub", server.url()});
  CHECK(end.status == 4);
  CHECK(end.err.find("redirect") != std::string::npos);
}

TEST_CASE("subscribe: silence beyond --heartbeat-timeout is a lost connection",
          "[rtctl][subscribe]") {
  ScriptedServer server([](Peer& peer, std::size_t number) {
    peer.read_request();
    peer.open_stream();
    peer.send("retry: 0\n\nid: 1\ndata: " + std::to_string(number) + "\n\n");
    peer.hold();
  });
  const Outcome end = run(
      {"rtctl", "sub", server.url(), "--data-only", "--count", "2", "--heartbeat-timeout", "50ms"});
  CHECK(end.status == 0);
  CHECK(end.out == "0\n1\n");
  CHECK(end.err.find("nothing received for 50") != std::string::npos);
}

TEST_CASE("subscribe: a reader that closes the pipe ends it at once, silently, with 0",
          "[rtctl][subscribe]") {
  ScriptedServer server(stream_of("data: one\n\n"));
  RunningTool sub({"rtctl", "sub", server.url(), "--data-only"});
  REQUIRE(sub.wait_for("one\n"));
  sub.close_output();  // and no further event comes
  const Outcome end = sub.finish();
  CHECK(end.status == 0);
  CHECK(end.err == "");
}

TEST_CASE("subscribe: without a terminal no escape byte is written, whatever the data holds",
          "[rtctl][subscribe]") {
  ScriptedServer server(stream_of(
      "event: \x1b[31mred\nid: \x1b]0;title\ndata: \x1b[2J {\"a\":\"\x1b\"} \xC2\x9B\n\n"));
  const std::string format = GENERATE(std::string("text"), std::string("ndjson"));
  const Outcome end = run({"rtctl", "sub", server.url(), "--count", "1", "--format", format});
  CHECK(end.status == 0);
  CHECK(end.out.find("\\u001b[31mred") != std::string::npos);
  CHECK(end.out.find('\x1b') == std::string::npos);
  CHECK(end.err.find('\x1b') == std::string::npos);
}

TEST_CASE("subscribe: on a terminal, the last words begin a line and nothing of the status remains",
          "[rtctl][subscribe]") {
  ScriptedServer server(stream_of("data: x\n\n"));
  OnTerminal sub({"rtctl", "sub", server.url()});
  REQUIRE(sub.wait_for("connected  1 event"));
  ::kill(sub.pid, SIGINT);
  CHECK(sub.finish() == 130);
  INFO(sub.seen);
  CHECK(sub.seen.find("\r\x1b[Krtctl: interrupted: ") != std::string::npos);
  CHECK(sub.seen.substr(sub.seen.size() - 2) == "\r\n");
}

TEST_CASE("subscribe: --count of events, --timeout and --wait decide between exit 0 and 1",
          "[rtctl][subscribe]") {
  ScriptedServer server(stream_of("data: 1\n\nevent: other\ndata: 2\n\n"));
  CHECK(run({"rtctl", "sub", server.url(), "--count", "2"}).status == 0);
  const Outcome late = run({"rtctl", "sub", server.url(), "--count", "3", "--wait", "50ms"});
  CHECK(late.status == 1);
  CHECK(late.err == "rtctl: 2 of 3 events arrived in time\n");
  CHECK(run({"rtctl", "sub", server.url(), "--timeout", "50ms"}).status == 0);
  const Outcome filtered =
      run({"rtctl", "sub", server.url(), "--event", "other", "--count", "1", "--data-only"});
  CHECK(filtered.out == "2\n");
}

TEST_CASE("subscribe: --records all shows open, retry, heartbeat and summary",
          "[rtctl][subscribe]") {
  ScriptedServer server([](Peer& peer, std::size_t number) {
    peer.read_request();
    peer.open_stream();
    peer.send("retry: 0\n\n: hello\n\nid: 1\ndata: " + std::to_string(number) + "\n\n");
    if (number == 1) peer.hold();
  });
  const Outcome end =
      run({"rtctl", "sub", server.url(), "--format", "ndjson", "--records", "all", "--count", "2"});
  std::string kinds;
  for (const auto& record : records(end.out)) kinds += record["type"].get<std::string>() + " ";
  CHECK(kinds == "open heartbeat event close retry open heartbeat event close summary ");
}

TEST_CASE("subscribe: an endless header is refused", "[rtctl][subscribe]") {
  ScriptedServer server([](Peer& peer, std::size_t) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\n");
    while (peer.send("X-More: " + std::string(1000, 'x') + "\r\n")) {
    }
  });
  const Outcome end = run({"rtctl", "sub", server.url(), "--max-retries", "0"});
  CHECK(end.status == 4);
  CHECK(end.err.find("header") != std::string::npos);
}

TEST_CASE("subscribe: a header line without an end is refused", "[rtctl][subscribe]") {
  ScriptedServer server([](Peer& peer, std::size_t) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nX-More: ");
    while (peer.send(std::string(1000, 'x'))) {
    }
  });
  const Outcome end = run({"rtctl", "sub", server.url(), "--max-retries", "0"});
  CHECK(end.status == 4);
  CHECK(end.err.find("response: header") != std::string::npos);
}

TEST_CASE("subscribe: a name that nobody knows is asked for again", "[rtctl][subscribe]") {
  // No label of a name may be that long: the answer needs no network.
  const std::string url = "http://" + std::string(64, 'a') + ".invalid/";
  const Outcome end = run({"rtctl", "sub", url, "--max-retries", "1"});
  INFO(end.err);
  CHECK(end.status == 3);
  CHECK(end.err.find("2 attempts failed, the last because resolve: ") != std::string::npos);
}

TEST_CASE("subscribe: --timeout without any connection is exit 3", "[rtctl][subscribe]") {
  const Outcome end = run({"rtctl", "sub", "http://127.0.0.1:1/", "--timeout", "100ms"});
  CHECK(end.status == 3);
  CHECK(end.err.find("not connected in time: connect: Connection refused") != std::string::npos);
}

TEST_CASE("subscribe: a 13 MB event passes whole, an endless line is refused",
          "[rtctl][subscribe]") {
  const std::string big(13'000'000, 'x');
  SECTION("whole") {
    ScriptedServer server(stream_of("data: " + big + "\n\n"));
    const Outcome end = run({"rtctl", "sub", server.url(), "--data-only", "--count", "1"});
    CHECK(end.status == 0);
    CHECK(end.out.size() == big.size() + 1);
  }
  SECTION("endless") {
    ScriptedServer server([&](Peer& peer, std::size_t) {
      peer.read_request();
      peer.open_stream();
      peer.send("data: ");
      while (peer.send(big)) {
      }
    });
    const Outcome end = run({"rtctl", "sub", server.url()});
    CHECK(end.status == 4);
    CHECK(end.err.find("exceeds 16777216 bytes") != std::string::npos);
  }
  SECTION("as far as --max-event allows") {
    ScriptedServer server(stream_of("data: " + std::string(5000, 'x') + "\n\n"));
    const Outcome end = run({"rtctl", "sub", server.url(), "--max-event", "4KiB"});
    CHECK(end.status == 4);
    CHECK(end.err.find("exceeds 4096 bytes") != std::string::npos);
  }
}

TEST_CASE("subscribe: runs builds the filter", "[rtctl][subscribe]") {
  std::string request;
  {
    ScriptedServer server([&](Peer& peer, std::size_t) {
      request = peer.read_request();
      peer.open_stream();
      peer.send("data: 1\n\n");
      peer.hold();
    });
    const std::string base = "http://127.0.0.1:" + std::to_string(server.port());
    CHECK(run({"rtctl", "subscribe", "runs", "--run", "r 1", "--env", "e", "--tag", "a", "--tag",
               "b", "--since", "2026-03-29T00:30:00Z", "--count", "1"},
              "", {{"RT_URL", base}})
              .status == 0);
  }
  CHECK(request.substr(0, request.find(" HTTP")) ==
        "GET /v1/runs/stream?filter=%7B%22run_id%22%3A%22r%201%22%2C%22env_id%22%3A%22e%22%2C"
        "%22tags%22%3A%5B%22a%22%2C%22b%22%5D%2C%22created_at%22%3A%222026-03-29T00%3A30%3A00."
        "000000Z%22%7D");
}

TEST_CASE("example: tail prints data over reconnects, and says why it ended", "[rtctl][examples]") {
  ScriptedServer server([](Peer& peer, std::size_t number) {
    peer.read_request();
    if (number == 2) return peer.answer("404 Not Found", "", "gone");
    peer.open_stream();
    peer.send("retry: 0\n\nid: 1\ndata: " + std::to_string(number) + "\n\n");
  });
  const Outcome end = run({"example_tail", server.url()});
  CHECK(end.status == 1);
  CHECK(end.out == "0\n1\n");
  CHECK(end.err == "cannot subscribe to " + server.url() + ": the server answered 404: gone\n");
}

TEST_CASE("subscribe: bad usage is exit 2 with a hint", "[rtctl][subscribe]") {
  const auto fails = [](std::vector<std::string> words, const std::string& expected) {
    words.insert(words.begin(), {"rtctl", "subscribe"});
    const Outcome end = run(words);
    INFO(end.err);
    CHECK(end.status == 2);
    CHECK(end.out == "");
    CHECK(end.err.find(expected) != std::string::npos);
  };
  fails({}, "no source");
  fails({"rusn"}, "did you mean runs?");
  fails({"example.com/x"}, "did you mean http://example.com/x?");
  fails({"ftp://127.0.0.1/"}, "cannot subscribe to ftp://127.0.0.1/: URL: ");
  fails({"http://127.0.0.1:1", "--format", "ndjsn"}, "did you mean ndjson?");
  fails({"http://127.0.0.1:1", "--token", "secret"}, "--token-file");
  fails({"http://127.0.0.1:1", "--heartbeat-timeout", "5"}, "5");
  fails({"http://127.0.0.1:1", "--run", "r1"}, "--run");
  fails({"http://127.0.0.1:1", "--last-event-id", "a\nb"}, "cannot resume");
  fails({"http://127.0.0.1:1", "--cuont", "1"}, "did you mean --count?");
}

}  // namespace
}  // namespace rt::test
