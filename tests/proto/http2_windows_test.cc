// How much a client takes (RFC 9113 sections 5.2 and 6.9): windows that nghttp2 does not keep for
// us.
#include <nghttp2/nghttp2.h>

#include <catch2/catch.hpp>

#include "proto/http2_client_session.h"
#include "proto/http2_frames.h"
#include "proto/http2_peers.h"

using namespace rt;
using namespace rt::test;
using namespace rt::test::frames;

namespace {

std::string window_update(std::uint32_t stream, std::uint32_t increment) {
  return frame(kWindowUpdate, 0, stream, number(increment, 4));
}

std::string first_window(std::uint32_t bytes) {
  return frame(kSettings, 0, 0, number(4, 2) + number(bytes, 4));
}

// The frames of an output, after which it is empty.
std::vector<http2::FrameHead> frames_of(Http2Server& server) {
  struct Heads {
    bool takes(const http2::FrameHead& head) {
      all.push_back(head);
      return true;
    }
    bool on_taken(const http2::FrameHead&, std::string_view, bool) { return true; }
    bool on_passed(std::string_view) { return true; }
    std::vector<http2::FrameHead> all;
  } heads;
  http2::FrameSplitter().split(server.take_output(), heads);
  return heads.all;
}

bool has(const std::vector<http2::FrameHead>& heads, std::uint8_t type, std::uint8_t flags,
         http2::StreamId stream) {
  return std::any_of(heads.begin(), heads.end(), [&](const http2::FrameHead& head) {
    return head.type == type && head.flags == flags && head.stream == stream;
  });
}

}  // namespace

TEST_CASE("http2 windows: one that opens is followed wherever its frame is split",
          "[proto][http2]") {
  const std::string updates = window_update(1, 30) + window_update(0, 5) + window_update(1, 7);
  for (std::size_t split = 0; split <= updates.size(); ++split) {
    CAPTURE(split);
    Http2Server server;
    server.session.receive(kHello + first_window(10) + get(1));
    CHECK(server.session.write(1, std::string(100, 'x')) == 10);
    server.session.receive(updates.substr(0, split));
    server.session.receive(updates.substr(split));
    CHECK(server.owner.requests[1].writable >= 1);
    const std::size_t taken = 30 + 7;
    CHECK(server.session.write(1, std::string(100, 'x')) == taken);
    CHECK(server.session.write(1, "x") == 0);
  }
}

TEST_CASE("http2 windows: one that opens for a stream that ends meanwhile says nothing",
          "[proto][http2]") {
  for (const std::uint32_t increment : {0U, 1U, 0x7FFFFFFFU}) {
    const std::string update = window_update(1, increment);
    for (std::size_t split = http2::FrameHead::kBytes; split < update.size(); ++split) {
      CAPTURE(increment, split);
      Http2Server server;
      server.session.receive(kHello + get(1) + get(3) + update.substr(0, split));
      server.session.end(1);
      server.session.settle();
      REQUIRE(server.session.stream_count() == 1);
      server.session.receive(update.substr(split));
      CHECK(!server.session.is_over());
      CHECK(server.session.write(3, "x") == 1);
    }
  }
}

TEST_CASE("http2 windows: settings change those of open streams, below nothing too",
          "[proto][http2]") {
  Http2Server server;
  server.session.receive(kHello + first_window(1000) + get(1) + get(3));
  CHECK(server.session.write(1, std::string(600, 'x')) == 600);
  server.session.receive(first_window(500));
  CHECK(server.session.write(1, "x") == 0);  // 100 too much
  CHECK(server.session.write(3, std::string(600, 'x')) == 500);
  server.session.receive(window_update(1, 100));
  CHECK(server.owner.requests[1].writable == 0);
  server.session.receive(window_update(1, 1));
  CHECK(server.owner.requests[1].writable == 1);
  CHECK(server.session.write(1, "xy") == 1);
  server.session.receive(first_window(510));
  CHECK(server.session.write(1, std::string(99, 'x')) == 10);
  CHECK(server.session.write(3, std::string(99, 'x')) == 10);
}

TEST_CASE("http2 windows: a stream ends though its window is closed from the beginning",
          "[proto][http2]") {
  for (const std::uint32_t window : {0U, 4U}) {
    for (const bool amid_a_frame : {false, true}) {
      CAPTURE(window, amid_a_frame);
      Http2Server server;
      server.session.receive(kHello + first_window(window) + get(1));
      CHECK(server.session.write(1, "events") == window);
      server.session.receive(first_window(0));
      const std::string next = get(3);
      if (amid_a_frame) server.session.receive(next.substr(0, 20));
      server.session.end(1);
      if (amid_a_frame) {
        CHECK(!has(frames_of(server), kData, kEndStream, 1));
        server.session.receive(next.substr(20));
        CHECK(server.owner.requests[3].ended);
      }
      CHECK(has(frames_of(server), kData, kEndStream, 1));
      CHECK(server.session.stream_count() == (amid_a_frame ? 1 : 0));
    }
  }
}

TEST_CASE("http2 windows: a whole answer goes on as they open, and ends", "[proto][http2]") {
  Http2Server server;
  const std::string answer = "/" + std::string(40, 'a') + "|";
  server.session.receive(kHello + first_window(5) +
                         frame(kHeaders, kEndStream | kEndHeaders, 1,
                               literal(":method", "GET") + literal(":scheme", "http") +
                                   literal(":authority", "a") +
                                   literal(":path", answer.substr(0, answer.size() - 1))));
  std::size_t bytes = 0;
  for (int round = 0; round < 20; ++round) {
    for (const http2::FrameHead& head : frames_of(server)) {
      if (head.type == kData) bytes += head.length;
      if (head.type == kData && (head.flags & kEndStream) != 0) {
        CHECK(bytes == answer.size());
        CHECK(server.session.stream_count() == 0);
        return;
      }
    }
    CHECK(bytes <= 5U + 10U * static_cast<unsigned>(round));
    server.session.receive(window_update(1, 10));
  }
  FAIL("the answer does not end");
}

TEST_CASE("http2 windows: a wrong increment resets its stream alone", "[proto][http2]") {
  for (const std::uint32_t increment : {0U, 0x7FFFFFFFU}) {
    CAPTURE(increment);
    Http2Server server;
    server.session.receive(kHello + get(1) + get(3) + window_update(1, increment));
    CHECK(has(frames_of(server), kReset, 0, 1));
    CHECK(server.owner.requests[1].closed);
    CHECK(server.session.write(1, "x") == 0);
    CHECK(server.session.write(3, "x") == 1);
    CHECK(!server.session.is_over());
  }
}

TEST_CASE("http2 windows: settings that open one beyond 2^31 end the connection",
          "[proto][http2]") {
  Http2Server server;
  server.session.receive(kHello + get(1) + window_update(1, 0x7FFFFFFF - 65'535));
  CHECK(!server.session.is_over());
  server.session.receive(first_window(65'536));
  CHECK(has(frames_of(server), kGoAway, 0, 0));
  CHECK(server.session.is_broken());
}

TEST_CASE("http2 windows: amid a head, or before SETTINGS, even they are wrong", "[proto][http2]") {
  const std::string begun = frame(kHeaders, kEndStream, 1, kGetHead);
  const std::string preface(http2::kPreface);
  for (const std::string& wire :
       {kHello + get(3) + begun + window_update(0, 1), preface + window_update(0, 1),
        kHello + window_update(5, 1), kHello + frame(kWindowUpdate, 0, 0, "xyz")}) {
    Http2Server server;
    server.session.receive(wire);
    CHECK(has(frames_of(server), kGoAway, 0, 0));
    CHECK(server.session.is_broken());
  }
}

TEST_CASE("http2 windows: a stream ends while the head of another comes in pieces",
          "[proto][http2]") {
  const std::string first = frame(kHeaders, kEndStream, 3, kGetHead.substr(0, 10));
  const std::string rest = frame(kContinuation, kEndHeaders, 3, kGetHead.substr(10));
  for (const std::uint32_t window : {0U, 10U}) {
    for (std::size_t split = 0; split < http2::FrameHead::kBytes; ++split) {
      CAPTURE(window, split);
      Http2Server server;
      server.session.receive(kHello + first_window(window) + get(1));
      server.session.receive(first + rest.substr(0, split));
      server.session.end(1);
      // With a window that is open nothing has to be waited for.
      CHECK(has(frames_of(server), kData, kEndStream, 1) == (window > 0));
      server.session.receive(rest.substr(split));
      CHECK(!server.session.is_over());
      CHECK(server.owner.requests[3].ended);
      CHECK(has(frames_of(server), kData, kEndStream, 1) == (window == 0));
      CHECK(server.session.stream_count() == 1);
    }
  }
}

TEST_CASE("http2 windows: nothing goes behind a goodbye", "[proto][http2]") {
  Http2Server server;
  server.session.receive(kHello + get(1));
  CHECK(server.session.write(1, "x") == 1);
  server.session.receive(frame(kPing, 0, 1, number(0, 8)));  // a PING has no stream
  CHECK(server.session.is_over());
  CHECK(server.session.write(1, "x") == 0);
  CHECK(has(frames_of(server), kGoAway, 0, 0));
}
