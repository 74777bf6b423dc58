#include "proto/sse_session.h"

#include <catch2/catch.hpp>
#include <string>

#include "proto/sse_reference.h"

using namespace rt;
using namespace rt::sse;
using namespace std::chrono_literals;

namespace {

// A session with a clock that only moves when told, and the small talk of a transport.
struct Subscriber {
  explicit Subscriber(SessionOptions options = {})
      : session(*Session::create(std::move(options), Random(7))) {}

  Directive start() { return session.start(clock.now()); }
  Directive answer(int status, std::string_view type = "text/event-stream",
                   std::string_view retry_after = "") {
    return session.on_response({status, type, retry_after}, clock.now(), clock.wall());
  }
  Directive bytes(std::string_view text) {
    Received received;
    return session.receive(text, clock.now(), recorder, received);
  }
  Directive lost(std::string_view why = "the server closed the stream") {
    return session.on_disconnect(why, clock.now());
  }
  Duration wait() const { return *session.next_deadline() - clock.now(); }
  Directive pass(Duration by) {
    clock.advance(by);
    return session.on_deadline(clock.now());
  }
  void open() {
    REQUIRE(start() == Directive::connect);
    REQUIRE(answer(200) == Directive::read);
  }
  std::string header(std::string_view name) const {
    for (const HeaderLine& line : session.request_headers()) {
      if (line.name == name) return line.value;
    }
    return "(absent)";
  }

  ManualClock clock;
  Session session;
  Recorder recorder;
};

}  // namespace

TEST_CASE("session: the first request asks for a stream and names no event", "[proto][session]") {
  Subscriber s;
  CHECK(s.start() == Directive::connect);
  CHECK(s.header("Accept") == "text/event-stream");
  CHECK(s.header("Cache-Control") == "no-cache");
  CHECK(s.header("Last-Event-ID") == "(absent)");
}

TEST_CASE("session: a lost stream is resumed after its last event, with the same headers",
          "[proto][session]") {
  Subscriber s({.headers = {{"Authorization", "Bearer x"}}});
  s.open();
  CHECK(s.bytes("id: 5\ndata: x\n\nid: 7\ndata: y") == Directive::read);
  CHECK(s.lost() == Directive::wait);
  CHECK(s.wait() <= 1s);
  CHECK(s.session.counters().truncated == 1);
  CHECK(s.pass(s.wait()) == Directive::connect);
  CHECK(s.header("Last-Event-ID") == "5");
  CHECK(s.header("Authorization") == "Bearer x");
  CHECK(s.answer(200) == Directive::read);
  CHECK(s.bytes("id: 7\ndata: y\n\n") == Directive::read);
  CHECK(s.recorder.items == Items{"message~x~5", "message~y~7"});
  CHECK(s.session.counters().streams == 2);
}

TEST_CASE("session: an id that was cleared is not sent", "[proto][session]") {
  Subscriber s({.last_event_id = "3"});
  CHECK(s.header("Last-Event-ID") == "3");
  s.open();
  s.bytes("id\n\n");
  CHECK(s.header("Last-Event-ID") == "(absent)");
}

TEST_CASE("session: a Last-Event-ID among the user's headers is where to begin",
          "[proto][session]") {
  Subscriber s({.headers = {{"last-event-id", "9"}, {"accept", "a/b"}}});
  CHECK(s.header("Last-Event-ID") == "9");
  CHECK(s.header("Accept") == "(absent)");
  CHECK(s.header("accept") == "a/b");
  s.open();
  s.bytes("id: 10\ndata\n\n");
  CHECK(s.header("Last-Event-ID") == "10");
}

TEST_CASE("session: headers and ids that would break the request are refused", "[proto][session]") {
  const auto code = [](SessionOptions options) {
    const auto made = Session::create(std::move(options), Random(1));
    return made ? Code::internal : made.error().code;
  };
  CHECK(code({.headers = {{"A", "b\r\nC: d"}}}) == Code::usage);
  CHECK(code({.headers = {{"A b", "c"}}}) == Code::usage);
  CHECK(code({.headers = {{"", "c"}}}) == Code::usage);
  CHECK(code({.last_event_id = "1\n2"}) == Code::usage);
}

TEST_CASE(
    "session: waits double up to the maximum, with full jitter, and start again after an event",
    "[proto][session]") {
  Subscriber s({.retry_base = 1s, .backoff_max = 30s});
  s.start();
  Duration bound = 1s;
  Duration longest{};
  for (int failure = 0; failure < 200; ++failure) {
    REQUIRE(s.lost("connection refused") == Directive::wait);
    REQUIRE(s.wait() >= 0s);
    REQUIRE(s.wait() <= bound);
    longest = std::max(longest, s.wait());
    REQUIRE(s.pass(s.wait()) == Directive::connect);
    bound = std::min<Duration>(bound * 2, 30s);
  }
  CHECK(longest > 25s);
  CHECK(s.session.failures() == 200);
  s.answer(200);
  s.bytes("data: x\n\n");
  CHECK(s.session.failures() == 0);
  s.lost();
  CHECK(s.wait() <= 1s);
}

TEST_CASE("session: a comment is no progress, a stream that lasted is", "[proto][session]") {
  Subscriber s;
  s.open();
  s.bytes(": hello\n\n");
  s.lost();
  CHECK(s.session.failures() == 1);
  s.pass(s.wait());
  s.answer(200);
  s.clock.advance(31s);
  s.lost();
  CHECK(s.session.failures() == 1);
}

TEST_CASE("session: retry sets the base of the waits", "[proto][session]") {
  Subscriber s;
  s.open();
  s.bytes("retry: 10\n");
  CHECK(s.session.reconnection_time() == 10ms);
  s.lost();
  CHECK(s.wait() <= 10ms);
  s.pass(s.wait());
  s.answer(200);
  s.bytes("retry: 60000\ndata: x\n\n");
  s.lost();
  CHECK(s.wait() <= 60s);
}

TEST_CASE("session: a server that asks for no wait and fails is still backed off from",
          "[proto][session]") {
  Subscriber s;
  s.open();
  s.bytes("retry: 0\n");
  s.lost();
  CHECK(s.wait() == 0s);
  Duration total{};
  for (int i = 0; i < 20; ++i) {
    s.pass(s.wait());
    s.lost("connection refused");
    total += s.wait();
  }
  CHECK(total > 10s);
}

TEST_CASE("session: 408, 429 and 5xx are retried, after Retry-After at the earliest",
          "[proto][session]") {
  for (const int status : {408, 429, 500, 502, 503, 504, 599}) {
    Subscriber s;
    s.start();
    CHECK(s.answer(status, "text/html", "20") == Directive::wait);
    CHECK(s.wait() >= 20s);
    CHECK(s.wait() <= 21s);
    CHECK(s.session.last_failure() == "the server answered " + std::to_string(status));
  }
  Subscriber dated;
  dated.start();
  // The clock stands at 2023-11-14 22:13:20 UTC.
  CHECK(dated.answer(503, "", "Tue, 14 Nov 2023 22:14:20 GMT") == Directive::wait);
  CHECK(dated.wait() >= 60s);
  CHECK(dated.wait() <= 61s);
  Subscriber nonsense;
  nonsense.start();
  CHECK(nonsense.answer(503, "", "soon") == Directive::wait);
  CHECK(nonsense.wait() <= 1s);
}

TEST_CASE("session: what trying again cannot mend ends the session as refused",
          "[proto][session]") {
  const auto ended_by = [](int status, std::string_view type, bool strict) {
    Subscriber s(strict ? SessionOptions::browser() : SessionOptions{});
    s.start();
    const Directive directive = s.answer(status, type);
    if (directive == Directive::end) CHECK_FALSE(s.session.next_deadline());
    return directive == Directive::end && s.session.end_reason().code == Code::refused;
  };
  for (const bool strict : {false, true}) {
    for (const int status : {201, 204, 205, 210, 299, 301, 307, 400, 401, 403, 404, 410, 499}) {
      INFO(status);
      CHECK(ended_by(status, "text/event-stream", strict));
    }
    CHECK(ended_by(200, "text/html", strict));
    CHECK(ended_by(200, "", strict));
    CHECK_FALSE(ended_by(200, "Text/Event-Stream;charset=x", strict));
  }
  for (const int status : {408, 429, 500, 503}) CHECK(ended_by(status, "text/event-stream", true));
}

TEST_CASE("session: a browser waits exactly the reconnection time and knows no heartbeat",
          "[proto][session]") {
  Subscriber s(SessionOptions::browser());
  s.open();
  CHECK_FALSE(s.session.next_deadline());
  for (int i = 0; i < 5; ++i) {
    s.lost();
    CHECK(s.wait() == 3s);
    s.pass(3s);
  }
  s.answer(200);
  s.bytes("retry: 50\n");
  s.lost();
  CHECK(s.wait() == 50ms);
}

TEST_CASE("session: silence beyond the heartbeat timeout counts as lost, any byte as life",
          "[proto][session]") {
  Subscriber s({.heartbeat_timeout = 45s});
  s.open();
  CHECK(s.pass(44s) == Directive::read);
  s.bytes(":");
  CHECK(s.pass(45s - 1ns) == Directive::read);
  CHECK(s.pass(1ns) == Directive::wait);
  CHECK(s.session.counters().heartbeats_lost == 1);
  CHECK(s.session.last_failure() == "nothing received for 45s");
  CHECK(s.pass(s.wait()) == Directive::connect);
  CHECK(s.pass(45s) == Directive::wait);  // no answer counts too
}

TEST_CASE("session: on_deadline too early changes nothing", "[proto][session]") {
  Subscriber s;
  s.start();
  s.lost();
  s.pass(s.wait());
  s.lost();
  const auto deadline = s.session.next_deadline();
  REQUIRE(s.wait() > 1ns);
  CHECK(s.session.on_deadline(*deadline - 1ns) == Directive::wait);
  CHECK(s.session.next_deadline() == deadline);
  CHECK(s.session.on_deadline(*deadline) == Directive::connect);
}

TEST_CASE("session: retries that are spent end it as unreachable", "[proto][session]") {
  Subscriber s({.retries_max = 2});
  s.start();
  for (int i = 0; i < 2; ++i) {
    REQUIRE(s.lost("connection refused") == Directive::wait);
    REQUIRE(s.pass(s.wait()) == Directive::connect);
  }
  CHECK(s.lost("connection refused") == Directive::end);
  CHECK(s.session.end_reason().code == Code::unreachable);
  CHECK(s.session.end_reason().text ==
        "cannot subscribe: 3 attempts failed, the last because connection refused");
  CHECK(s.start() == Directive::end);
  CHECK(s.pass(1h) == Directive::end);
  CHECK(s.lost() == Directive::end);
}

TEST_CASE("session: without reconnecting, the first end is the end", "[proto][session]") {
  Subscriber s({.reconnect = false});
  s.open();
  s.bytes("data: x\n\n");
  CHECK(s.lost() == Directive::end);
  CHECK(s.session.end_reason().code == Code::unreachable);
  CHECK(s.session.end_reason().text == "the stream ended: the server closed the stream");
}

TEST_CASE("session: an event beyond the limit ends it", "[proto][session]") {
  SessionOptions options;
  options.parser.event_bytes_max = 64;
  Subscriber s(options);
  s.open();
  CHECK(s.bytes("data: " + std::string(100, 'x')) == Directive::end);
  CHECK(s.session.end_reason().code == Code::refused);
}

TEST_CASE("session: a server that dies in the middle of every event loses and repeats nothing",
          "[proto][session]") {
  constexpr int kEvents = 10'000;
  Subscriber s;
  s.start();
  Random random(3);
  int attempts = 0;
  while (s.recorder.items.size() < kEvents) {
    REQUIRE(++attempts <= 2 * kEvents);
    REQUIRE(s.answer(200) == Directive::read);
    const std::string resume = s.header("Last-Event-ID");
    const int first = resume == "(absent)" ? 0 : std::stoi(resume) + 1;
    // One whole event, then the next one cut somewhere before its blank line ends.
    const auto text = [](int n) {
      return "id: " + std::to_string(n) + "\ndata: event " + std::to_string(n) + "\n\n";
    };
    const std::string next = text(first + 1);
    const std::string stream = text(first) + next.substr(0, random.below(next.size()));
    const std::size_t cut = random.below(stream.size() + 1);  // and read in two pieces
    s.bytes(stream.substr(0, cut));
    s.bytes(stream.substr(cut));
    REQUIRE(s.lost() == Directive::wait);
    REQUIRE(s.pass(s.wait()) == Directive::connect);
  }
  for (int n = 0; n < kEvents; ++n) {
    REQUIRE(s.recorder.items[static_cast<std::size_t>(n)] ==
            "message~event " + std::to_string(n) + "~" + std::to_string(n));
  }
}
