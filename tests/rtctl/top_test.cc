// rtctl top: rates by injected time, the screen as golden text, and the tool on a real terminal.
#include <termios.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "integration/on_terminal.h"
#include "integration/running_tool.h"
#include "integration/scripted_server.h"
#include "rtctl/stream_rates.h"
#include "rtctl/top_screen.h"

namespace rt::test {
namespace {

using namespace rt::rtctl;
using namespace std::chrono_literals;

TEST_CASE("top: rates look back on whole seconds", "[rtctl][top]") {
  const Instant start{1000s};
  StreamRates rates(start);
  for (int i = 0; i < 30; ++i) rates.count("delta", 100, {}, start + 100ms);
  for (int i = 0; i < 10; ++i) rates.count("delta", 100, {}, start + 1500ms);
  rates.count("initial", 50, {}, start + 1600ms);
  const auto rows = rates.rows(start + 2s);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].key == "delta");  // the fastest first
  CHECK(rows[0].events == 40);
  CHECK(rows[0].per_s == 10);
  CHECK(rows[0].per_s_10 == 20);
  CHECK(rows[0].bytes_per_s == 2000);
  CHECK(rows[0].silent == 500ms);
  CHECK(rows[1].per_s == 1);
  CHECK(rates.total(start + 2s).per_s == 11);
  CHECK(rates.total(start + 2s).events == 41);
  // What is under way counts when its second is over.
  rates.count("delta", 1, {}, start + 2s);
  CHECK(rates.rows(start + 2500ms)[0].per_s == 10);
  CHECK(rates.rows(start + 3s)[0].per_s == 1);
}

TEST_CASE("top: rates fade when nothing comes, totals stay", "[rtctl][top]") {
  const Instant start{1000s};
  StreamRates rates(start);
  for (int i = 0; i < 20; ++i) rates.count("a", 10, {}, start + 500ms);
  CHECK(rates.total(start + 5s).per_s == 0);
  CHECK(rates.total(start + 5s).per_s_10 == 4);
  CHECK(rates.total(start + 10s).per_s_10 == 2);
  CHECK(rates.total(start + 11s).per_s_10 == 0);
  CHECK(rates.total(start + 1h).events == 20);
}

TEST_CASE("top: ages are those of the newest events", "[rtctl][top]") {
  const Instant start{1000s};
  StreamRates rates(start);
  CHECK_FALSE(rates.total(start).age_p50_ms);
  for (int i = 1; i <= 100; ++i) rates.count("a", 1, i, start);
  CHECK(rates.rows(start)[0].age_p50_ms == 50.0);
  CHECK(rates.rows(start)[0].age_p95_ms == 95.0);
  for (int i = 0; i < 256; ++i) rates.count("a", 1, 7, start);
  CHECK(rates.rows(start)[0].age_p95_ms == 7.0);
}

TEST_CASE("top: keys without end are counted together", "[rtctl][top]") {
  const Instant start{1000s};
  StreamRates rates(start);
  for (int i = 0; i < 5000; ++i) rates.count("id" + std::to_string(i), 1, {}, start);
  CHECK(rates.rows(start).size() == 1001);
  CHECK(rates.total(start).events == 5000);
  CHECK(rates.rows(start + 1s)[0].key == "(others)");
  CHECK(rates.rows(start + 1s)[0].events == 4000);
}

TopView view() {
  TopView out;
  out.source = "http://127.0.0.1:8080/v1/runs/stream";
  out.link = "connected";
  out.elapsed = 83s;
  out.total = {"", 12'034, 1'500, 1'234.5, 350'000, 0.8, 12, 0s};
  out.rows = {{"delta", 12'000, 1'499, 1'230, 349'000, 0.8, 12, 200ms},
              {"initial", 34, 1, 4.5, 1'000, {}, {}, 3s}};
  return out;
}

TEST_CASE("top: the screen is a table", "[rtctl][top]") {
  std::string screen;
  for (const std::string& line : top_screen(view(), 100, 24, false)) screen += line + "\n";
  CHECK(screen ==
        "http://127.0.0.1:8080/v1/runs/stream  connected  1m23s\n"
        "STREAM            EVENTS       1s      10s       BYTES  AGE p50      p95   LAST\n"
        "all               12 034     1.5k     1.2k 341.8 KiB/s    800us     12ms     0s\n"
        "delta             12 000     1.5k     1.2k 340.8 KiB/s    800us     12ms     0s\n"
        "initial               34      1.0      4.5    1000 B/s        -        -     3s\n");
}

TEST_CASE("top: no line is wider, and not more are there, than the terminal has", "[rtctl][top]") {
  TopView crowded = view();
  for (int i = 0; i < 40; ++i) {
    RateRow& row = crowded.rows.emplace_back();
    row.key = "a rather long name, with ünïcode and \x1b[2J in it " + std::to_string(i);
  }
  for (const std::size_t columns : {1u, 20u, 80u, 200u}) {
    for (const std::size_t lines : {1u, 3u, 4u, 5u, 10u, 100u}) {
      const auto screen = top_screen(crowded, columns, lines, false);
      CHECK(screen.size() <= lines);
      for (const std::string& line : screen) {
        const auto width = std::count_if(line.begin(), line.end(), [](char c) {
          return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
        });
        CHECK(static_cast<std::size_t>(width) <= columns);
        CHECK(line.find('\x1b') == std::string::npos);
      }
    }
  }
  CHECK(top_screen(crowded, 80, 10, false).back() == "and 36 more");
}

TEST_CASE("top: without a terminal a line each time says the most", "[rtctl][top]") {
  CHECK(top_line(view()) ==
        "1m23s  12034 events  1.5k/s  341.8 KiB/s  delta 1.5k/s  initial 1.0/s");
}

ScriptedServer::Script three_events() {
  return [](Peer& peer, std::size_t) {
    peer.read_request();
    peer.open_stream();
    peer.send("event: a\ndata: {\"s\":\"x\"}\n\nevent: b\ndata: {\"s\":\"x\"}\n\ndata: 3\n\n");
    peer.hold();
  };
}

TEST_CASE("top: lines go to a pipe, and end with --count, a signal or their reader",
          "[rtctl][top]") {
  ScriptedServer server(three_events());
  const Outcome counted =
      run({"rtctl", "top", server.url(), "--interval", "100ms", "--count", "2"});
  CHECK(counted.status == 0);
  CHECK(std::count(counted.out.begin(), counted.out.end(), '\n') == 2);
  CHECK(counted.out.find("3 events") != std::string::npos);
  CHECK(counted.out.find('\x1b') == std::string::npos);
  const Outcome by =
      run({"rtctl", "top", server.url(), "--interval", "1s", "--count", "1", "--by", "/s"});
  CHECK(by.out.find("  x 2.0/s") != std::string::npos);
  RunningTool endless({"rtctl", "top", server.url(), "--interval", "100ms"});
  REQUIRE(endless.wait_for("3 events"));
  endless.signal(SIGTERM);
  CHECK(endless.finish().status == 143);
  RunningTool unread({"rtctl", "top", server.url(), "--interval", "100ms"});
  REQUIRE(unread.wait_for("3 events"));
  unread.close_output();
  const Outcome left = unread.finish();
  CHECK(left.status == 0);
  CHECK(left.err == "");
  CHECK(run({"rtctl", "top", server.url(), "--by", "a~b"}).status == 2);
}

TEST_CASE("top: a terminal is redrawn in place and left as it was", "[rtctl][top]") {
  ScriptedServer server(three_events());
  const bool by_key = GENERATE(true, false);
  OnTerminal top({"rtctl", "top", server.url(), "--interval", "100ms"});
  REQUIRE(top.wait_for("message"));
  CHECK(top.seen.find("\x1b[?25l") != std::string::npos);    // no cursor meanwhile
  CHECK(top.seen.find("\x1b[?1049h") == std::string::npos);  // no second screen
  REQUIRE(top.wait_for("\x1b[6A"));  // drawn over itself: a head, two lines, three streams
  termios during{};
  REQUIRE(::tcgetattr(top.fd, &during) == 0);
  CHECK((during.c_lflag & ECHO) == 0);
  if (by_key) {
    REQUIRE(::write(top.fd, "q", 1) == 1);
  } else {
    ::kill(top.pid, SIGTERM);
  }
  REQUIRE(top.wait_for("\x1b[?25h"));
  termios after{};
  REQUIRE(::tcgetattr(top.fd, &after) == 0);
  CHECK((after.c_lflag & (ECHO | ICANON)) == (ECHO | ICANON));
  CHECK(top.finish() == (by_key ? 0 : 143));
  CHECK(top.seen.rfind("\x1b[?25h") > top.seen.rfind("\x1b[?25l"));
}

}  // namespace
}  // namespace rt::test
