#include "load/stream_connection.h"

#include <zlib.h>

#include <catch2/catch.hpp>

#include "load/shard.h"
#include "load/stream_target.h"

namespace {

using rt::StreamConnection;
using Progress = StreamConnection::Progress;

// Writes down what it is told.
struct Notes {
  std::string log;
  void on_open() { log += "open;"; }
  void on_event(const rt::sse::EventView& event) {
    log += std::string(event.event) + "=" + std::string(event.data) + "@" + std::string(event.id) +
           ";";
  }
  void on_comment(std::string_view text) { log += "#" + std::string(text) + ";"; }
  void on_retry(std::chrono::milliseconds delay) {
    log += "retry" + std::to_string(delay.count()) + ";";
  }
};

const std::string kChunkedHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string kPlainHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

}  // namespace

TEST_CASE("stream: split at any point, a stream means the same", "[load][stream]") {
  const std::string bytes =
      kChunkedHead + "10\r\nid: 1\nevent: a\nd\r\n" +
      "a\r\nata: x\n\n:k\r\n1\r\n\n\r\n11\r\nretry: 5\ndata: y\n\r\n1\r\n\n\r\n";
  const std::string expected = "open;a=x@1;#k;retry5;message=y@1;";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    StreamConnection stream;
    stream.restart();
    Notes notes;
    CHECK(stream.receive(std::string_view(bytes).substr(0, cut), notes) == Progress::more);
    CHECK(stream.receive(std::string_view(bytes).substr(cut), notes) == Progress::more);
    CHECK(notes.log == expected);
    CHECK(stream.last_event_id() == "1");
  }
}

TEST_CASE("stream: a body without chunks lasts until the connection ends", "[load][stream]") {
  StreamConnection stream;
  stream.restart();
  Notes notes;
  CHECK(stream.receive(kPlainHead + "data: x\n\n", notes) == Progress::more);
  CHECK(notes.log == "open;message=x@;");
  CHECK(stream.is_streaming());
}

TEST_CASE("stream: the last chunk ends it", "[load][stream]") {
  StreamConnection stream;
  stream.restart();
  Notes notes;
  CHECK(stream.receive(kChunkedHead + "0\r\n\r\n", notes) == Progress::ended);
}

TEST_CASE("stream: what is not an event stream is refused", "[load][stream]") {
  const auto progress_of = [](const std::string& bytes) {
    StreamConnection stream;
    stream.restart();
    Notes notes;
    const Progress progress = stream.receive(bytes, notes);
    CHECK(notes.log.empty());
    CHECK_FALSE(stream.is_streaming());
    return progress;
  };
  CHECK(progress_of("HTTP/1.1 204 No Content\r\n\r\n") == Progress::status);
  CHECK(progress_of("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n") == Progress::status);
  CHECK(progress_of("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n") == Progress::wrong_type);
  CHECK(progress_of("SSH-2.0-x\r\n\r\n") == Progress::malformed);
}

TEST_CASE("stream: chunks that are none are malformed", "[load][stream]") {
  StreamConnection stream;
  stream.restart();
  Notes notes;
  CHECK(stream.receive(kChunkedHead + "zz\r\n", notes) == Progress::malformed);
}

TEST_CASE("stream: a new socket forgets half an event and keeps the last id", "[load][stream]") {
  StreamConnection stream;
  stream.restart();
  Notes notes;
  stream.receive(kPlainHead + "id: 7\ndata: x\n\nid: 8\ndata: half", notes);
  stream.stop();
  CHECK_FALSE(stream.is_streaming());
  stream.restart();
  CHECK(stream.last_event_id() == "7");
  CHECK(stream.receive(kPlainHead + "data: y\n\n", notes) == Progress::more);
  CHECK(notes.log == "open;message=x@7;open;message=y@7;");
}

TEST_CASE("stream: an idle connection costs at most 128 bytes, ledger included", "[load][stream]") {
  CHECK(rt::Shard::connection_bytes() <= 128);
}

TEST_CASE("target: a URL gives host, port and path", "[load][target]") {
  const auto target = rt::StreamTarget::parse("http://127.0.0.1:8080/a?b=c");
  REQUIRE(target);
  CHECK(target->host == "127.0.0.1");
  CHECK(target->port == 8080);
  CHECK(target->path == "/a?b=c");
  CHECK(target->authority == "127.0.0.1:8080");
  CHECK(rt::StreamTarget::parse("http://host")->port == 80);
  CHECK(rt::StreamTarget::parse("http://host")->path == "/");
  CHECK(rt::StreamTarget::parse("http://[::1]:9/x")->host == "::1");
  CHECK(rt::StreamTarget::parse("http://host?x")->path == "/?x");
  CHECK_FALSE(target->tls);
  CHECK(rt::StreamTarget::parse("https://host/x")->tls);
  CHECK(rt::StreamTarget::parse("https://host/x")->port == 443);
}

TEST_CASE("target: what is not a plain URL is refused with a reason", "[load][target]") {
  for (const char* url :
       {"host", "ftp://host", "http://", "http://h:0/", "http://h:70000/", "http://h/a b"}) {
    const auto target = rt::StreamTarget::parse(url);
    REQUIRE_FALSE(target);
    CHECK(target.error().code == rt::Code::usage);
  }
}

TEST_CASE("target: the request names the topic and where to resume", "[load][target]") {
  const auto target = rt::StreamTarget::parse("http://h:1/t/{topic}/events");
  std::string request;
  target->append_request(request, "a b", false, "ID", false, "x-a: b\r\n");
  CHECK(request ==
        "GET /t/a%20b/events HTTP/1.1\r\nHost: h:1\r\nAccept: text/event-stream\r\n"
        "Cache-Control: no-cache\r\nLast-Event-ID: ID\r\nx-a: b\r\n\r\n");
}

TEST_CASE("target: runs without {topic} are asked for by a filter", "[load][target]") {
  const auto target = rt::StreamTarget::parse("http://h/v1/runs/stream");
  std::string path;
  target->append_path(path, "r\"1", true);
  CHECK(path == "/v1/runs/stream?filter=%7B%22run_id%22%3A%22r%5C%221%22%7D");
}

namespace {

// A gzip stream whose pieces can each be read as soon as they arrive (RFC 1952).
std::string gzip_of(const std::vector<std::string>& pieces) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out;
  for (const std::string& piece : pieces) {
    std::string packed(piece.size() + 256, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream.avail_in = static_cast<uInt>(piece.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    REQUIRE(deflate(&stream, Z_SYNC_FLUSH) == Z_OK);
    out.append(packed, 0, packed.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  return out;
}

const std::string kGzipHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n";

}  // namespace

TEST_CASE("stream: a gzip stream is unpacked as it arrives, at every split point",
          "[load][stream]") {
  const std::string bytes = kGzipHead + gzip_of({"id: 1\ndata: x\n\n", ":k\n\ndata: y\n\n"});
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    StreamConnection stream;
    stream.restart();
    Notes notes;
    CHECK(stream.receive(std::string_view(bytes).substr(0, cut), notes) == Progress::more);
    CHECK(stream.receive(std::string_view(bytes).substr(cut), notes) == Progress::more);
    CHECK(notes.log == "open;message=x@1;#k;message=y@1;");
  }
}

TEST_CASE("stream: what says gzip and is not, or a coding nobody asked for, is malformed",
          "[load][stream]") {
  StreamConnection stream;
  stream.restart();
  Notes notes;
  CHECK(stream.receive(kGzipHead + "data: x\n\n", notes) == Progress::malformed);
  StreamConnection other;
  other.restart();
  CHECK(other.receive("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                      "Content-Encoding: br\r\n\r\n",
                      notes) == Progress::malformed);
}

TEST_CASE("stream: a head that HTTP/2 has read opens the stream, or says why not",
          "[load][stream]") {
  StreamConnection stream;
  stream.restart();
  Notes notes;
  CHECK(stream.accept({503, true, rt::ContentCoding::identity}) == Progress::status);
  CHECK(stream.accept({200, false, rt::ContentCoding::identity}) == Progress::wrong_type);
  CHECK_FALSE(stream.is_streaming());
  CHECK(stream.accept({200, true, rt::ContentCoding::identity}) == Progress::more);
  CHECK(stream.is_streaming());
  CHECK(stream.receive_body("data: x\n\n", notes) == Progress::more);
  CHECK(notes.log == "message=x@;");
}
