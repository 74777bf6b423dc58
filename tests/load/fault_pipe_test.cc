#include "load/fault_pipe.h"

#include <catch2/catch.hpp>

namespace {

using rt::FaultAtWork;
using rt::FaultPipe;
using rt::FaultSpec;
using rt::Instant;
using namespace std::chrono_literals;

const std::string kHead =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n";
const std::string kEvent = "9\r\ndata: a\n\n\r\n";

// What comes out by `now`.
std::string out(FaultPipe& pipe, Instant now) {
  std::string text;
  for (std::string_view due; !(due = pipe.due(now)).empty();) {
    text += due;
    pipe.sent(due.size());
  }
  return text;
}

FaultSpec fault(FaultSpec::Kind kind) {
  FaultSpec spec;
  spec.kind = kind;
  return spec;
}

const Instant kBegin{std::chrono::hours(1)};

}  // namespace

TEST_CASE("fault pipe: without faults bytes pass at once, as they came", "[load][fault]") {
  FaultPipe pipe(1, false);
  pipe.take("abc", {}, kBegin);
  CHECK(out(pipe, kBegin) == "abc");
  CHECK(pipe.next_due() == Instant::max());
}

TEST_CASE("fault pipe: latency delays, and never changes the order", "[load][fault]") {
  FaultSpec spec = fault(FaultSpec::Kind::latency);
  spec.delay = 100ms;
  spec.jitter = 90ms;
  const std::vector<FaultAtWork> faults = {{&spec, kBegin + 10s}};
  FaultPipe pipe(1, false);
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const std::string byte(1, static_cast<char>('0' + i % 10));
    pipe.take(byte, faults, kBegin + i * 1ms);
    all += byte;
  }
  CHECK(out(pipe, kBegin + 9ms).empty());
  CHECK(out(pipe, kBegin + 1s) == all);
}

TEST_CASE("fault pipe: what a stall holds comes when it ends, all at once", "[load][fault]") {
  const FaultSpec spec = fault(FaultSpec::Kind::stall);
  const std::vector<FaultAtWork> faults = {{&spec, kBegin + 3s}};
  FaultPipe pipe(1, false);
  pipe.take("a", faults, kBegin);
  pipe.take("b", faults, kBegin + 1s);
  CHECK(out(pipe, kBegin + 2999ms).empty());
  CHECK(out(pipe, kBegin + 3s) == "ab");
}

TEST_CASE("fault pipe: a buffering proxy holds back until enough has gathered", "[load][fault]") {
  FaultSpec spec = fault(FaultSpec::Kind::buffer);
  spec.bytes = 4;
  const std::vector<FaultAtWork> faults = {{&spec, kBegin + 3s}};
  FaultPipe pipe(1, false);
  pipe.take("abc", faults, kBegin);
  CHECK(out(pipe, kBegin + 1s).empty());
  pipe.take("de", faults, kBegin + 1s);
  CHECK(out(pipe, kBegin + 1s) == "abcde");
  pipe.take("f", faults, kBegin + 2s);
  pipe.let_go(kBegin + 3s);
  CHECK(out(pipe, kBegin + 3s) == "f");
}

TEST_CASE("fault pipe: bandwidth spreads bytes over time", "[load][fault]") {
  FaultSpec spec = fault(FaultSpec::Kind::bandwidth);
  spec.bytes_per_s = 1'000;
  const std::vector<FaultAtWork> faults = {{&spec, kBegin + 30s}};
  FaultPipe pipe(1, false);
  pipe.take(std::string(500, 'a'), faults, kBegin);
  pipe.take(std::string(500, 'b'), faults, kBegin);
  CHECK(out(pipe, kBegin + 499ms).empty());
  CHECK(out(pipe, kBegin + 500ms).size() == 500);
  CHECK(out(pipe, kBegin + 1s).size() == 500);
}

TEST_CASE("fault pipe: a duplicate repeats events and nothing else, wherever reads split",
          "[load][fault]") {
  const FaultSpec spec = fault(FaultSpec::Kind::duplicate);
  const std::vector<FaultAtWork> faults = {{&spec, kBegin + 3s}};
  const std::string comment = "5\r\n: k\n\n\r\n";
  const std::string stream = kHead + comment + kEvent;
  for (std::size_t split = 0; split <= stream.size(); ++split) {
    FaultPipe pipe(1, true);
    pipe.take(stream.substr(0, split), faults, kBegin);
    pipe.take(stream.substr(split), faults, kBegin);
    CHECK(out(pipe, kBegin) == stream + kEvent);
  }
}

TEST_CASE("fault pipe: without chunked coding a blank line ends an event", "[load][fault]") {
  const FaultSpec spec = fault(FaultSpec::Kind::duplicate);
  const std::vector<FaultAtWork> faults = {{&spec, kBegin + 3s}};
  const std::string head = "HTTP/1.1 200 OK\r\n\r\n";
  FaultPipe pipe(1, true);
  pipe.take(head + "data: a\n\n: k\n\n", faults, kBegin);
  CHECK(out(pipe, kBegin) == head + "data: a\n\ndata: a\n\n: k\n\n");
}

TEST_CASE("fault pipe: a cut goes through the middle of the next event", "[load][fault]") {
  FaultPipe pipe(1, true);
  pipe.take(kHead, {}, kBegin);
  CHECK(out(pipe, kBegin) == kHead);
  pipe.cut_in_event();
  pipe.take(kEvent + kEvent, {}, kBegin);
  CHECK_FALSE(pipe.ends_here());
  CHECK(out(pipe, kBegin) == kEvent.substr(0, kEvent.size() / 2));
  CHECK(pipe.ends_here());
}

TEST_CASE("fault pipe: where events cannot be seen a cut goes through the bytes read next",
          "[load][fault]") {
  FaultPipe pipe(1, false);
  pipe.take(kEvent, {}, kBegin);
  CHECK(out(pipe, kBegin) == kEvent);
  pipe.cut_in_event();
  CHECK_FALSE(pipe.ends_here());
  pipe.take("0123456789", {}, kBegin);
  pipe.take("more", {}, kBegin);
  CHECK(out(pipe, kBegin) == "01234");
  CHECK(pipe.ends_here());
}
