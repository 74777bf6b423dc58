#include "proto/http2_session.h"

#include <catch2/catch.hpp>

#include "proto/http2_frames.h"
#include "proto/http2_peers.h"

using namespace rt;
using namespace rt::test;

namespace {

// What a client sends for these requests, from its preface on.
std::string wire_of(const std::vector<std::string>& paths) {
  Http2Client client;
  for (const std::string& path : paths) client.get(path);
  return client.take_output();
}

}  // namespace

TEST_CASE("http2: a request reads the same at every split point", "[proto][http2]") {
  Http2Client::Fields fields = Http2Client::head("POST", "/v1/runs%2Fa?filter=%7B%7D&x");
  fields.emplace_back("last-event-id", "7-1");
  fields.emplace_back("content-length", "5");
  Http2Client writer;
  writer.request(fields, "hello");
  const std::string wire = writer.take_output();
  for (std::size_t at = 0; at <= wire.size(); ++at) {
    Http2Server server;
    server.session.receive(wire.substr(0, at));
    server.session.receive(wire.substr(at));
    REQUIRE(server.owner.requests.size() == 1);
    const Seen& seen = server.owner.requests[1];
    CHECK(seen.method == "POST");
    CHECK(seen.path == "/v1/runs/a");
    CHECK(seen.query == "filter=%7B%7D&x");
    CHECK(seen.headers.at("last-event-id") == "7-1");
    CHECK(seen.headers.at("host") == "test");
    CHECK(seen.has_body);
    CHECK(seen.body == "hello");
    CHECK(seen.ended);
  }
}

TEST_CASE("http2: whole answers reach the client, large ones as flow control allows",
          "[proto][http2]") {
  Http2Client client;
  Http2Server server;
  const std::string large(300'000, 'x');
  const auto small = client.get("/a");
  const auto echo = client.request(Http2Client::head("POST", "/b"), large);
  for (const std::size_t step : {std::size_t{1} << 14, std::size_t{7}}) {
    CAPTURE(step);
    REQUIRE(talk(client, server, step));
    CHECK(client.answer(small).status == 200);
    CHECK(client.answer(small).headers.at("content-type") == "text/plain");
    CHECK(client.answer(small).body == "/a|");
    CHECK(client.answer(echo).body == "/b|" + large);
    CHECK(client.answer(echo).closed);
    CHECK(client.answer(echo).error_code == NGHTTP2_NO_ERROR);
    CHECK(server.session.stream_count() == 0);
  }
}

TEST_CASE("http2: fields of an HTTP/1 connection are left out, names are lower case",
          "[proto][http2]") {
  Http2Client client;
  Http2Server server;
  const auto id = client.get("/wait");
  REQUIRE(talk(client, server));
  CHECK(server.session.respond(
      id, 204, "Connection: close\r\nX-One: 1\r\nTransfer-Encoding: chunked\r\nX-Two:2\r\n", ""));
  CHECK_FALSE(server.session.respond(id, 200, "", "again"));
  REQUIRE(talk(client, server));
  const std::map<std::string, std::string> expected = {
      {":status", "204"}, {"x-one", "1"}, {"x-two", "2"}};
  CHECK(client.answer(id).headers == expected);
  CHECK(client.answer(id).closed);
  CHECK_FALSE(server.owner.requests[id].closed);  // its owner finished it
}

TEST_CASE("http2: frames of a hundred streams leave in one output", "[proto][http2]") {
  Http2Client client;
  Http2Server server;
  std::vector<http2::StreamId> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(client.get("/stream"));
  REQUIRE(talk(client, server));
  REQUIRE(server.session.output().empty());
  const std::string frame = "data: {\"n\": 1}\n\n";
  for (const auto id : ids) REQUIRE(server.session.write(id, frame) == frame.size());
  CHECK(server.session.output().size() == 100 * (9 + frame.size()));
  REQUIRE(talk(client, server));
  for (const auto id : ids) {
    CHECK(client.answer(id).status == 200);
    CHECK(client.answer(id).body == frame);
    CHECK(client.answer(id).headers.count("connection") == 0);
  }
  for (const auto id : ids) server.session.end(id);
  REQUIRE(talk(client, server));
  for (const auto id : ids) CHECK(client.answer(id).closed);
  CHECK(server.session.stream_count() == 0);
}

TEST_CASE("http2: a stream whose window is closed takes no more, the others go on",
          "[proto][http2]") {
  Http2Client client({.window = 100, .reads = false});
  Http2Server server;
  const auto stalled = client.get("/stream");
  const auto other = client.get("/stream");
  REQUIRE(talk(client, server));
  const std::string event(60, 'e');
  CHECK(server.session.write(stalled, event) == 60);
  CHECK(server.session.write(stalled, event) == 40);
  CHECK(server.session.write(stalled, event) == 0);
  CHECK(server.session.write(other, event) == 60);
  REQUIRE(talk(client, server));
  CHECK(client.answer(stalled).body.size() == 100);
  CHECK(client.answer(other).body.size() == 60);
  CHECK(server.owner.requests[stalled].writable == 0);
  client.open_window(stalled, 50);
  REQUIRE(talk(client, server));
  CHECK(server.owner.requests[stalled].writable == 1);
  CHECK(server.owner.requests[other].writable == 0);
  CHECK(server.session.write(stalled, event) == 50);
}

TEST_CASE("http2: a connection whose window is closed lets its streams wait and tells all of them",
          "[proto][http2]") {
  Http2Client client({.window = 1 << 20, .reads = false, .connection_window = 65535});
  Http2Server server;
  const auto a = client.get("/stream");
  const auto b = client.get("/stream");
  REQUIRE(talk(client, server));
  const std::string most(65535, 'x');
  REQUIRE(server.session.write(a, most) == most.size());
  CHECK(server.session.write(a, "more") == 0);
  CHECK(server.session.write(b, "more") == 0);
  REQUIRE(talk(client, server));
  client.open_window(0, 1000);
  REQUIRE(talk(client, server));
  CHECK(server.owner.requests[a].writable == 1);
  CHECK(server.owner.requests[b].writable == 1);
  CHECK(server.session.write(b, "more") == 4);
}

TEST_CASE("http2: the output is bounded, and who waited for it is told", "[proto][http2]") {
  http2::Limits limits;
  limits.output_bytes_max = 1000;
  Http2Client client({.window = 1 << 20});
  Http2Server server(limits);
  const auto a = client.get("/stream");
  const auto b = client.get("/stream");
  REQUIRE(talk(client, server));
  const std::string event(3000, 'e');
  const std::size_t taken = server.session.write(a, event);
  CHECK(taken <= 1000);
  CHECK(taken > 900);
  CHECK(server.session.write(b, event) == 0);
  CHECK(server.session.output().size() < 1100);
  server.session.settle();
  CHECK(server.owner.requests[b].writable == 0);
  REQUIRE(talk(client, server));
  CHECK(server.owner.requests[a].writable == 1);
  CHECK(server.owner.requests[b].writable == 1);
  CHECK(server.session.write(b, event) > 900);
}

TEST_CASE("http2: a stream that the client cancels is told once and takes nothing more",
          "[proto][http2]") {
  Http2Client client;
  Http2Server server;
  const auto id = client.get("/stream");
  REQUIRE(talk(client, server));
  client.cancel(id);
  REQUIRE(talk(client, server));
  CHECK(server.owner.requests[id].closed);
  CHECK(server.session.write(id, "late") == 0);
  server.session.end(id);
  server.session.reset(id);
  CHECK(server.session.stream_count() == 0);
  const auto next = client.get("/a");
  REQUIRE(talk(client, server));
  CHECK(client.answer(next).status == 200);
}

TEST_CASE("http2: a stream that the server resets is cancelled for the client alone",
          "[proto][http2]") {
  Http2Client client;
  Http2Server server;
  const auto id = client.get("/stream");
  const auto other = client.get("/stream");
  REQUIRE(talk(client, server));
  CHECK(server.session.tags().size() == 2);
  server.session.reset(id);
  CHECK(server.session.tags() == std::vector<http2::Tag>{3});
  REQUIRE(talk(client, server));
  CHECK(client.answer(id).error_code == NGHTTP2_CANCEL);
  CHECK_FALSE(server.owner.requests[id].closed);
  CHECK(server.session.write(other, "on") == 2);
}

TEST_CASE("http2: after going away streams end well and new ones are refused", "[proto][http2]") {
  Http2Client client;
  Http2Server server;
  const auto id = client.get("/stream");
  REQUIRE(talk(client, server));
  server.session.go_away();
  CHECK(server.session.write(id, ": goodbye\n\n") == 11);
  server.session.end(id);
  REQUIRE(talk(client, server));
  CHECK(client.went_away());
  CHECK(client.goaway_code() == NGHTTP2_NO_ERROR);
  CHECK(client.goaway_last_stream() == id);
  CHECK(client.answer(id).body == ": goodbye\n\n");
  CHECK(client.answer(id).closed);
  CHECK(server.session.is_over());
  CHECK_FALSE(server.session.is_broken());
}

TEST_CASE("http2: streams beyond the limit are refused, those within go on", "[proto][http2]") {
  http2::Limits limits;
  limits.streams_max = 3;
  Http2Client client;
  Http2Server server(limits);
  for (int i = 0; i < 5; ++i) client.get("/wait");
  const std::string wire = client.take_output();  // before it has read our settings
  server.session.receive(wire);
  CHECK(server.session.stream_count() == 3);
  CHECK(server.owner.requests.size() == 3);
  REQUIRE(client.receive(server.take_output()));
  CHECK(client.answer(9).error_code == NGHTTP2_REFUSED_STREAM);
}

TEST_CASE("http2: an answer to a request whose body still comes asks for no more of it",
          "[proto][http2]") {
  Http2Client client;
  Http2Server server;
  Http2Client::Fields fields = Http2Client::head("POST", "/wait");
  fields.emplace_back("content-length", "2000000");
  const auto id = client.request(fields, std::string(2'000'000, 'b'));
  REQUIRE(talk(client, server));
  CHECK(server.owner.requests[id].refusal == 413);
  CHECK(client.answer(id).status == 413);
  CHECK(client.answer(id).closed);
  CHECK(client.answer(id).error_code == NGHTTP2_NO_ERROR);
  CHECK(server.owner.requests[id].body.empty());
  CHECK(server.session.stream_count() == 0);
}

TEST_CASE("http2: bytes of a session depend only on what it is told", "[proto][http2]") {
  const std::string wire = wire_of({"/a", "/stream"});
  Http2Server whole;
  Http2Server split;
  whole.session.receive(wire);
  for (const char c : wire) split.session.receive(std::string_view(&c, 1));
  const auto payload = [](Http2Server& server) {
    Http2Client reader;
    (void)reader.get("/a");
    (void)reader.get("/stream");
    (void)reader.take_output();
    REQUIRE(reader.receive(server.take_output()));
    return reader.answer(1).body + std::to_string(reader.answer(3).status);
  };
  CHECK(payload(whole) == "/a|200");
  CHECK(payload(split) == "/a|200");
}

namespace {

// Finishes stream 1 as soon as a piece of stream 3's body comes.
class Rival : public RecordingOwner {
 public:
  explicit Rival(int way) : way_(way) {}
  void on_body(http2::Tag tag, std::string_view bytes) override {
    RecordingOwner::on_body(tag, bytes);
    if (tag != 3) return;
    if (way_ == 0) CHECK_FALSE(session->respond(1, 200, "", "text"));
    if (way_ == 1) session->end(1);
    if (way_ == 2) session->reset(1);
    if (way_ < 3) CHECK(session->tags() == std::vector<http2::Tag>{3});
  }

 private:
  const int way_;
};

}  // namespace

TEST_CASE("http2: of a stream that the owner finishes after it has gone nothing is told",
          "[proto][http2]") {
  using namespace rt::test::frames;
  const std::string post = literal(":method", "POST") + literal(":scheme", "http") +
                           literal(":authority", "a") + literal(":path", "/wait");
  for (const int way : {0, 1, 2, 3}) {
    CAPTURE(way);
    Rival owner(way);
    http2::Session session(owner);
    owner.session = &session;
    session.receive(kHello + frame(kHeaders, kEndHeaders, 1, post) +
                    frame(kHeaders, kEndHeaders, 3, post) + frame(kReset, 0, 1, number(8, 4)) +
                    frame(kData, 0, 3, "x"));
    CHECK(owner.requests[1].closed == (way == 3));
    CHECK(session.stream_count() == 1);
  }
}

TEST_CASE("http2: what waits for room is known once some was written", "[proto][http2]") {
  Http2Client client({.window = 1 << 20});
  Http2Server server;
  const auto id = client.get("/stream");
  REQUIRE(talk(client, server));
  const std::string much(400'000, 'e');
  const std::size_t taken = server.session.write(id, much);
  CHECK(taken < much.size());
  CHECK_FALSE(server.session.wants_to_go_on());
  std::string received;
  // Taken off in small pieces, as a slow client reads: the rest keeps its order.
  for (int i = 0; i < 100; ++i) {
    const std::string piece(server.session.output().substr(0, 1'000));
    received += piece;
    server.session.sent(piece.size());
  }
  CHECK(server.session.wants_to_go_on());
  server.session.settle();
  CHECK_FALSE(server.session.wants_to_go_on());
  CHECK(server.owner.requests[id].writable == 1);
  CHECK(server.session.write(id, std::string_view(much).substr(taken)) > 90'000);
  REQUIRE(client.receive(received));
  REQUIRE(talk(client, server));
  const std::string& body = client.answer(id).body;
  CHECK(body.size() > taken);
  CHECK(body == much.substr(0, body.size()));
}
