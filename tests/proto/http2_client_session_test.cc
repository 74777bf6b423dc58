#include "proto/http2_client_session.h"

#include <array>
#include <catch2/catch.hpp>

#include "proto/http2_frames.h"
#include "proto/http2_peers.h"

using namespace rt;
using namespace rt::test;

namespace {

struct Notes final : http2::ClientSession::Owner {
  struct Stream {
    http2::ClientSession::Answer answer;
    std::string body;
    int closed = 0;
    std::uint32_t error_code = 0;
  };
  void on_answer(http2::Tag tag, const http2::ClientSession::Answer& answer) override {
    streams[tag].answer = answer;
  }
  void on_body(http2::Tag tag, std::string_view bytes) override { streams[tag].body += bytes; }
  void on_closed(http2::Tag tag, std::uint32_t error_code) override {
    ++streams[tag].closed;
    streams[tag].error_code = error_code;
  }
  std::map<http2::Tag, Stream> streams;
};

struct Subscribers {
  http2::StreamId get(http2::Tag tag, std::string_view path) {
    const std::array<http2::ClientSession::Field, 4> fields = {
        {{":method", "GET"}, {":scheme", "http"}, {":authority", "test"}, {":path", path}}};
    return session.request(tag, fields);
  }
  // Until both sides are silent.
  bool talk(Http2Server& server, std::size_t step = std::string::npos) {
    for (;;) {
      session.pump();
      const std::string up(session.output());
      session.sent(up.size());
      server.session.receive(up);
      const std::string down = server.take_output();
      for (std::size_t at = 0; at < down.size(); at += std::min(step, down.size() - at)) {
        if (!session.receive(std::string_view(down).substr(at, step))) return false;
      }
      if (up.empty() && down.empty()) return true;
    }
  }
  Notes notes;
  http2::ClientSession session{notes};
};

}  // namespace

TEST_CASE("http2 client: a hundred streams share a connection, each with its own bytes",
          "[proto][http2]") {
  for (const std::size_t step : {std::string::npos, std::size_t{1}}) {
    Subscribers subscribers;
    Http2Server server;
    std::vector<http2::StreamId> ids;
    for (http2::Tag tag = 0; tag < 100; ++tag) ids.push_back(subscribers.get(tag, "/stream"));
    REQUIRE(subscribers.talk(server, step));
    for (http2::Tag tag = 0; tag < 100; ++tag) {
      const std::string event = "data: " + std::to_string(tag) + "\n\n";
      CHECK(server.session.write(ids[tag], event) == event.size());
    }
    REQUIRE(subscribers.talk(server, step));
    CHECK(subscribers.notes.streams.size() == 100);
    for (const auto& [tag, stream] : subscribers.notes.streams) {
      CHECK(stream.answer.status == 200);
      CHECK(stream.answer.is_event_stream);
      CHECK(stream.body == "data: " + std::to_string(tag) + "\n\n");
      CHECK(stream.closed == 0);
    }
  }
}

TEST_CASE("http2 client: a stream that the server ends is told once, one that we cancel never",
          "[proto][http2]") {
  Subscribers subscribers;
  Http2Server server;
  const auto ended = subscribers.get(1, "/stream");
  const auto cancelled = subscribers.get(2, "/stream");
  const auto reset = subscribers.get(3, "/stream");
  REQUIRE(subscribers.talk(server));
  subscribers.session.cancel(cancelled);
  server.session.end(ended);
  server.session.reset(reset);
  REQUIRE(subscribers.talk(server));
  CHECK(subscribers.notes.streams[1].closed == 1);
  CHECK(subscribers.notes.streams[1].error_code == 0);
  CHECK(subscribers.notes.streams[2].closed == 0);
  CHECK(subscribers.notes.streams[3].closed == 1);
  CHECK(subscribers.notes.streams[3].error_code != 0);
  CHECK(server.owner.requests[cancelled].closed);
}

TEST_CASE("http2 client: a stream that is not an event stream is told with its status",
          "[proto][http2]") {
  Subscribers subscribers;
  Http2Server server;
  subscribers.get(7, "/other");
  REQUIRE(subscribers.talk(server));
  CHECK(subscribers.notes.streams[7].answer.status == 200);
  CHECK_FALSE(subscribers.notes.streams[7].answer.is_event_stream);
  CHECK(subscribers.notes.streams[7].body == "/other|");
  CHECK(subscribers.notes.streams[7].closed == 1);
}

TEST_CASE("http2 client: after the server's goodbye no new stream begins, and the end is told",
          "[proto][http2]") {
  Subscribers subscribers;
  Http2Server server;
  const auto stream = subscribers.get(1, "/stream");
  REQUIRE(subscribers.talk(server));
  server.session.go_away();
  REQUIRE(subscribers.talk(server));
  CHECK(subscribers.get(2, "/stream") == 0);
  server.session.end(stream);
  CHECK_FALSE(subscribers.talk(server));
  CHECK(subscribers.notes.streams[1].closed == 1);
}

TEST_CASE("http2 client: bytes that are not HTTP/2 break the connection", "[proto][http2]") {
  Subscribers subscribers;
  CHECK_FALSE(
      subscribers.session.receive("HTTP/1.1 400 Bad Request\r\n\r\n........................"));
}

TEST_CASE("http2 client: what is taken is given back, so that a stream does not end in its window",
          "[proto][http2]") {
  for (const std::size_t step : {std::string::npos, std::size_t{1000}}) {
    Subscribers subscribers;
    Http2Server server;
    const http2::StreamId id = subscribers.get(7, "/stream");
    REQUIRE(subscribers.talk(server, step));
    const std::string event = "data: " + std::string(20'000, 'x') + "\n\n";
    std::size_t written = 0;
    while (written < 40 << 20) {  // the connection's window is 16 MiB, the stream's 1
      const std::size_t taken = server.session.write(id, event);
      REQUIRE(taken > 0);
      written += taken;
      REQUIRE(subscribers.talk(server, step));
    }
    CHECK(subscribers.notes.streams[7].body.size() == written);
  }
}

TEST_CASE("http2 client: an answer that breaks the rules ends its stream at once",
          "[proto][http2]") {
  using namespace rt::test::frames;
  const std::string odd =
      frame(kHeaders, kEndHeaders, 1, literal(":status", "200") + literal("Upper", "case"));
  Subscribers subscribers;
  const http2::StreamId id = subscribers.get(7, "/stream");
  subscribers.session.pump();
  CHECK(subscribers.session.receive(frame(kSettings, 0, 0) + odd));
  CHECK(subscribers.notes.streams[7].closed == 1);
  // Whoever asks again with the same tag hears of the new stream alone.
  CHECK(subscribers.get(7, "/stream") == 3);
  subscribers.session.cancel(id);
  subscribers.session.pump();
  CHECK(subscribers.session.receive(frame(kSettings, 0, 0)));
  CHECK(subscribers.notes.streams[7].closed == 1);
}
