// Clients that break HTTP/2 or wear a server out: each ends in a refusal, a reset stream or a
// closed connection, and costs bounded memory.
#include <catch2/catch.hpp>

#include "proto/http2_frames.h"
#include "proto/http2_peers.h"
#include "proto/http2_session.h"

using namespace rt;
using namespace rt::test;
using namespace rt::test::frames;

namespace {

// What became of a connection: the first stream's reset code, or that of GOAWAY.
struct Fate {
  bool over = false;
  bool broken = false;
  bool went_away = false;
  std::uint32_t goaway_code = 0;
  bool reset = false;
  std::uint32_t reset_code = 0;
  int refusal = 0;
  std::size_t requests = 0;
};

Fate fate_of(const std::string& wire, std::size_t step = std::string::npos) {
  Http2Server server;
  std::string answer;
  for (std::size_t at = 0; at < wire.size(); at += std::min(step, wire.size() - at)) {
    server.session.receive(std::string_view(wire).substr(at, step));
    answer += server.take_output();
    REQUIRE(server.session.stream_count() <= 256);
  }
  Http2Client reader;
  for (int i = 0; i < 8; ++i) reader.get("/");  // so that it knows the streams
  (void)reader.take_output();
  (void)reader.receive(answer);
  Fate fate;
  fate.over = server.session.is_over();
  fate.broken = server.session.is_broken();
  fate.went_away = reader.went_away();
  fate.goaway_code = reader.goaway_code();
  fate.reset = reader.answer(1).closed && reader.answer(1).error_code != 0;
  fate.reset_code = reader.answer(1).error_code;
  fate.requests = server.owner.requests.size();
  if (fate.requests > 0) fate.refusal = server.owner.requests.begin()->second.refusal;
  return fate;
}

}  // namespace

TEST_CASE("http2: what is not HTTP/2 at all ends the connection", "[proto][http2]") {
  for (const std::string& wire :
       {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nXX"),
        std::string(64, '\0'), std::string("\x16\x03\x01\x02\x00\x01", 6),
        std::string(http2::kPreface) + get(1),  // SETTINGS must come first
        std::string(http2::kPreface) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    for (const std::size_t step : {std::string::npos, std::size_t{1}}) {
      CAPTURE(wire, step);
      const Fate fate = fate_of(wire, step);
      CHECK(fate.over);
      CHECK(fate.broken);
      CHECK(fate.requests == 0);
    }
  }
}

TEST_CASE("http2: frames that break the protocol end the connection", "[proto][http2]") {
  struct Case {
    const char* what;
    std::string wire;
    std::uint32_t code;
  };
  const std::vector<Case> cases = {
      {"a frame beyond SETTINGS_MAX_FRAME_SIZE", frame(kHeaders, 4, 1, std::string(20'000, 'x')),
       NGHTTP2_FRAME_SIZE_ERROR},
      {"HEADERS on an even stream", get(2), NGHTTP2_PROTOCOL_ERROR},
      {"HEADERS on stream 0", get(0), NGHTTP2_PROTOCOL_ERROR},
      {"DATA on a stream that was never opened", frame(kData, 0, 1, "x"), NGHTTP2_PROTOCOL_ERROR},
      {"RST_STREAM on a stream that was never opened", frame(kReset, 0, 1, number(8, 4)),
       NGHTTP2_PROTOCOL_ERROR},
      {"CONTINUATION without HEADERS", frame(kContinuation, 4, 1, kGetHead),
       NGHTTP2_PROTOCOL_ERROR},
      {"another frame amid a head",
       frame(kHeaders, 1, 1, kGetHead) + frame(kPing, 0, 0, number(0, 8)), NGHTTP2_PROTOCOL_ERROR},
      {"a PING of 7 bytes", frame(kPing, 0, 0, std::string(7, 'p')), NGHTTP2_FRAME_SIZE_ERROR},
      {"SETTINGS of 5 bytes", frame(kSettings, 0, 0, std::string(5, 's')),
       NGHTTP2_FRAME_SIZE_ERROR},
      {"SETTINGS_INITIAL_WINDOW_SIZE beyond 2^31",
       frame(kSettings, 0, 0, number(4, 2) + number(0x80000000, 4)), NGHTTP2_FLOW_CONTROL_ERROR},
      {"SETTINGS_MAX_FRAME_SIZE of 0", frame(kSettings, 0, 0, number(5, 2) + number(0, 4)),
       NGHTTP2_PROTOCOL_ERROR},
      {"WINDOW_UPDATE of 0", frame(kWindowUpdate, 0, 0, number(0, 4)), NGHTTP2_PROTOCOL_ERROR},
      {"a window beyond 2^31", frame(kWindowUpdate, 0, 0, number(0x7FFFFFFF, 4)),
       NGHTTP2_FLOW_CONTROL_ERROR},
      {"an HPACK index that does not exist", frame(kHeaders, 5, 1, std::string(1, '\xFE')),
       NGHTTP2_COMPRESSION_ERROR},
      {"an HPACK string that ends early", frame(kHeaders, 5, 1, std::string("\0\x7Fx", 3)),
       NGHTTP2_COMPRESSION_ERROR},
      {"PUSH_PROMISE from a client", frame(5, 4, 1, number(2, 4) + kGetHead),
       NGHTTP2_PROTOCOL_ERROR},
      {"padding longer than the frame", get(1) + frame(kHeaders, 8 | 5, 3, "\xFF" + kGetHead),
       NGHTTP2_PROTOCOL_ERROR},
  };
  for (const Case& one : cases) {
    for (const std::size_t step : {std::string::npos, std::size_t{3}}) {
      CAPTURE(one.what, step);
      const Fate fate = fate_of(kHello + one.wire, step);
      CHECK(fate.went_away);
      CHECK(fate.goaway_code == one.code);
      CHECK(fate.broken);
    }
  }
}

TEST_CASE("http2: a malformed request resets its stream alone", "[proto][http2]") {
  const std::string method = literal(":method", "GET");
  const std::string scheme = literal(":scheme", "http");
  const std::string authority = literal(":authority", "a");
  const std::string path = literal(":path", "/");
  const std::string all = method + scheme + authority + path;
  const std::map<std::string, std::string> heads = {
      {"no :path", method + scheme + authority},
      {"an empty :path", method + scheme + authority + literal(":path", "")},
      {"no :method", scheme + authority + path},
      {"neither :authority nor host", method + scheme + path},
      {"no :scheme", method + authority + path},
      {"two :path", all + path},
      {"two :method", method + all},
      {"an unknown pseudo-header", all + literal(":door", "open")},
      {"a pseudo-header of answers", all + literal(":status", "200")},
      {"a pseudo-header after others", method + scheme + literal("a", "b") + authority + path},
      {"an upper-case name", all + literal("Accept", "x")},
      {"an empty name", all + literal("", "x")},
      {"a name with a blank", all + literal("a b", "x")},
      {"a name with a colon", all + literal("a:b", "x")},
      {"a value with CR LF", all + literal("a", "x\r\nInjected: 1")},
      {"a value with NUL", all + literal("a", std::string("x\0y", 3))},
      {"a value that begins with a blank", all + literal("a", " x")},
      {"a :path with a blank", method + scheme + authority + literal(":path", "/a b")},
      {"a :path that is no path", method + scheme + authority + literal(":path", "a")},
      {"connection", all + literal("connection", "close")},
      {"keep-alive", all + literal("keep-alive", "5")},
      {"transfer-encoding", all + literal("transfer-encoding", "chunked")},
      {"upgrade", all + literal("upgrade", "h2c")},
      {"te other than trailers", all + literal("te", "gzip")},
      {"two content-length", all + literal("content-length", "1") + literal("content-length", "2")},
      {"a content-length that is no number", all + literal("content-length", "1x")},
      {"a content-length without a body", all + literal("content-length", "5")},
  };
  for (const auto& [what, head] : heads) {
    CAPTURE(what);
    const Fate fate = fate_of(kHello + frame(kHeaders, kEndStream | kEndHeaders, 1, head) + get(3));
    CHECK(fate.reset);
    CHECK(fate.reset_code == NGHTTP2_PROTOCOL_ERROR);
    CHECK_FALSE(fate.over);
    CHECK(fate.requests == 1);  // the one on stream 3
  }
}

TEST_CASE("http2: a stream number that goes back is no request", "[proto][http2]") {
  CHECK(fate_of(kHello + get(5) + get(3)).requests == 1);
}

TEST_CASE("http2: a body of another length than promised resets the stream", "[proto][http2]") {
  const std::string head = literal(":method", "POST") + literal(":scheme", "http") +
                           literal(":authority", "a") + literal(":path", "/wait") +
                           literal("content-length", "5");
  const std::string post = kHello + frame(kHeaders, kEndHeaders, 1, head);
  for (const std::string& body :
       {frame(kData, kEndStream, 1, "four"), frame(kData, kEndStream, 1, "sixsix"),
        frame(kData, 0, 1, "four") + frame(kData, 0, 1, "four")}) {
    Http2Server server;
    server.session.receive(post + body);
    CHECK(server.owner.requests[1].closed);
    CHECK_FALSE(server.owner.requests[1].ended);
    CHECK_FALSE(server.session.is_over());
  }
}

TEST_CASE("http2: requests that HTTP forbids are answered with a status", "[proto][http2]") {
  const auto refusal = [](const std::string& path, const std::string& more) {
    const std::string head =
        literal(":method", "GET") + literal(":scheme", "http") + literal(":path", path) + more;
    return fate_of(kHello + frame(kHeaders, kEndStream | kEndHeaders, 1, head)).refusal;
  };
  const std::string authority = literal(":authority", "a");
  CHECK(refusal("/", authority) == 0);
  CHECK(refusal("/%zz", authority) == 400);
  CHECK(refusal("/a?b=%2", authority) == 400);
  CHECK(refusal("/%00", authority) == 400);
  CHECK(refusal("/", authority + literal("host", "b")) == 400);
  CHECK(refusal("/", authority + literal("host", "A")) == 0);
  CHECK(refusal("/", literal("host", "a")) == 0);
}

TEST_CASE("http2: a head beyond the limit is answered with 431, a hopeless one ends the connection",
          "[proto][http2]") {
  Http2Server server;
  Http2Client client;
  Http2Client::Fields large = Http2Client::head("GET", "/");
  large.emplace_back("cookie", std::string(20'000, 'c'));
  const auto first = client.request(large);
  Http2Client::Fields many = Http2Client::head("GET", "/");
  for (int i = 0; i < 120; ++i) many.emplace_back("x-" + std::to_string(i), "1");
  const auto second = client.request(many);
  Http2Client::Fields path = Http2Client::head("GET", "/" + std::string(9000, 'p'));
  const auto third = client.request(path);
  REQUIRE(talk(client, server));
  CHECK(client.answer(first).status == 431);
  CHECK(client.answer(second).status == 431);
  CHECK(client.answer(third).status == 414);
  CHECK_FALSE(server.session.is_over());
}

// One field of 4,000 bytes put into the table, then named again with one byte each.
TEST_CASE("http2: an HPACK bomb is not unpacked", "[proto][http2]") {
  std::string head = kGetHead;
  head +=
      std::string("\x40\x01x\x7F\xA1\x1E", 6) + std::string(4000, 'b');  // 127 + 0x21 + 30 * 128
  head += std::string(10'000, '\xBE');                                   // index 62, 40 MB in all
  const Fate fate = fate_of(kHello + frame(kHeaders, kEndStream | kEndHeaders, 1, head));
  CHECK(fate.over);
  CHECK(fate.goaway_code == NGHTTP2_ENHANCE_YOUR_CALM);
  CHECK(fate.requests == 0);
}

TEST_CASE("http2: a head in endless CONTINUATION frames ends the connection", "[proto][http2]") {
  std::string wire = kHello + frame(kHeaders, kEndStream, 1, kGetHead);
  for (int i = 0; i < 1000; ++i) wire += frame(kContinuation, 0, 1, literal("x", "y"));
  CHECK(fate_of(wire).over);
  std::string empty = kHello + frame(kHeaders, kEndStream, 1, kGetHead);
  for (int i = 0; i < 1000; ++i) empty += frame(kContinuation, 0, 1);
  CHECK(fate_of(empty).over);
}

TEST_CASE("http2: floods of cheap frames end the connection", "[proto][http2]") {
  const std::map<std::string, std::string> frames = {
      {"PING", frame(kPing, 0, 0, number(0, 8))},
      {"SETTINGS", frame(kSettings, 0, 0)},
      {"PRIORITY", frame(kPriority, 0, 1, number(0, 4) + number(1, 1))},
      {"empty DATA", frame(kData, 0, 1)},
  };
  const std::string post = literal(":method", "POST") + literal(":scheme", "http") +
                           literal(":authority", "a") + literal(":path", "/wait");
  for (const auto& [what, one] : frames) {
    CAPTURE(what);
    std::string few = kHello + frame(kHeaders, kEndHeaders, 1, post);
    std::string many = few;
    for (int i = 0; i < 100; ++i) few += one;
    for (int i = 0; i < 2000; ++i) many += one;
    CHECK_FALSE(fate_of(few).over);
    CHECK(fate_of(many).over);
  }
}

TEST_CASE("http2: a client that asks and does not read is held by the output's bound",
          "[proto][http2]") {
  Http2Server server;
  server.session.receive(kHello);
  const std::string ping = frame(kPing, 0, 0, number(0, 8));
  std::size_t rounds = 0;
  for (; rounds < 1'000'000 && !server.session.is_over(); ++rounds) server.session.receive(ping);
  CHECK(server.session.is_over());
  CHECK(server.session.is_broken());
  CHECK(server.session.output().size() < http2::Limits{}.output_bytes_end() + 20'000);
}

TEST_CASE("http2: who opens and resets in a hurry is cut off though nothing is read",
          "[proto][http2]") {
  Http2Server server;
  server.session.receive(kHello);
  std::uint32_t stream = 1;
  for (; stream < 200'000 && !server.session.is_over(); stream += 2) {
    server.session.receive(get(stream) + frame(kReset, 0, stream, number(8, 4)));
  }
  CHECK(server.session.is_broken());
  CHECK(stream < 2 * 700);
}

TEST_CASE("http2: streams beyond the limit, asked for without end, are bounded by the output",
          "[proto][http2]") {
  Http2Server server;
  server.session.receive(kHello);
  std::uint32_t stream = 1;
  for (; stream < 2'000'000 && !server.session.is_over(); stream += 2) {
    server.session.receive(get(stream));
  }
  CHECK(server.session.is_broken());
  CHECK(server.session.output().size() < http2::Limits{}.output_bytes_end() + 20'000);
  CHECK(server.session.write(1, "more") == 0);
}

TEST_CASE("http2: a client of many streams may open them all before it reads", "[proto][http2]") {
  http2::Limits limits;
  limits.streams_max = 5'000;
  Http2Server server(limits);
  server.session.receive(kHello);
  for (std::uint32_t stream = 1; stream < 2 * 5'000; stream += 2)
    server.session.receive(get(stream));
  CHECK(!server.session.is_over());
  CHECK(server.session.stream_count() == 5'000);
}

TEST_CASE("http2: streams opened and reset in a hurry end the connection", "[proto][http2]") {
  Http2Server server;
  server.session.receive(kHello);
  std::uint32_t stream = 1;
  for (; stream < 20'000 && !server.session.is_over(); stream += 2) {
    server.session.receive(get(stream) + frame(kReset, 0, stream, number(8, 4)));
    (void)server.take_output();
    REQUIRE(server.session.stream_count() <= 2);
  }
  CHECK(server.session.is_over());
  CHECK(stream < 2 * 700);
  CHECK(stream > 2 * 500);
}
