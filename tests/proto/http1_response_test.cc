#include "proto/http1_response.h"

#include <catch2/catch.hpp>
#include <string>

using namespace rt::http1;

namespace {

HeadStatus feed(ResponseParser& parser, std::string_view head) {
  return parser.receive(head);
}

}  // namespace

TEST_CASE("http1 response: a stream's head reads the same at every split point", "[proto][http1]") {
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n"
      "Transfer-Encoding: chunked\r\nCache-Control: no-cache\r\n\r\n";
  const std::string wire = head + "3\r\n";
  for (std::size_t at = 0; at <= wire.size(); ++at) {
    ResponseParser parser;
    const std::string first = wire.substr(0, at);
    const std::string second = wire.substr(at);
    std::string_view bytes = first;
    HeadStatus status = parser.receive(bytes);
    std::string rest(bytes);
    if (status == HeadStatus::need_more) {
      bytes = second;
      status = parser.receive(bytes);
      rest = bytes;
    } else {
      rest += second;
    }
    REQUIRE(status == HeadStatus::complete);
    CHECK(rest == "3\r\n");
    CHECK(parser.head().status == 200);
    CHECK(parser.head().is_event_stream());
    CHECK(parser.head().framing == BodyFraming::chunked);
    CHECK(parser.head().keep_alive);
  }
}

TEST_CASE("http1 response: the body's framing follows from status and headers", "[proto][http1]") {
  struct Case {
    std::string head;
    BodyFraming framing;
    std::uint64_t length;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\n\r\n", BodyFraming::until_close, 0},
      {"HTTP/1.0 200 \r\n\r\n", BodyFraming::until_close, 0},
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n", BodyFraming::length, 9},
      {"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: /x\r\n\r\n", BodyFraming::none, 0},
      {"HTTP/1.1 204 No Content\r\n\r\n", BodyFraming::none, 0},
      {"HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n", BodyFraming::none, 5},
  };
  for (const Case& c : cases) {
    INFO(c.head);
    ResponseParser parser;
    REQUIRE(feed(parser, c.head) == HeadStatus::complete);
    CHECK(parser.head().framing == c.framing);
    CHECK(parser.head().content_length == c.length);
  }
}

TEST_CASE("http1 response: interim answers are skipped, but not for ever", "[proto][http1]") {
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  const std::string final_head = "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
  const std::string wire = interim + "HTTP/1.1 100 Continue\r\n\r\n" + final_head;
  for (std::size_t at = 0; at < wire.size(); ++at) {
    ResponseParser parser;
    const std::string first = wire.substr(0, at);
    const std::string second = wire.substr(at);
    REQUIRE(feed(parser, first) == HeadStatus::need_more);
    REQUIRE(feed(parser, second) == HeadStatus::complete);
    CHECK(parser.head().status == 429);
    CHECK(parser.head().retry_after() == "7");
    CHECK(parser.head().header("link").empty());
  }
  std::string endless;
  for (int i = 0; i < 20; ++i) endless += interim;
  ResponseParser parser;
  CHECK(feed(parser, endless) == HeadStatus::bad);
}

TEST_CASE("http1 response: bad heads are refused and say why", "[proto][http1]") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string cases[] = {
      "SSH-2.0-OpenSSH_9.2\r\n\r\n",
      "HTTP/2.0 200 OK\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1 200 OK\n\n",
      ok + "A : b\r\n\r\n",
      ok + "A: b\r\n folded\r\n\r\n",
      ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
      ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      ok + "Transfer-Encoding: gzip, chunked\r\n\r\n",
      ok + "A: " + std::string(17'000, 'a'),
  };
  for (const std::string& head : cases) {
    INFO(head.substr(0, 60));
    ResponseParser parser;
    CHECK(feed(parser, head) == HeadStatus::bad);
    REQUIRE(parser.fault() != nullptr);
    CHECK_FALSE(std::string_view(parser.fault()).empty());
    CHECK(feed(parser, "HTTP/1.1 200 OK\r\n\r\n") == HeadStatus::bad);
  }
}

TEST_CASE("http1 response: a parser can be used again after reset", "[proto][http1]") {
  ResponseParser parser;
  REQUIRE(feed(parser, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n") == HeadStatus::complete);
  parser.reset();
  REQUIRE(feed(parser, "HTTP/1.1 204 No\r\n\r\n") == HeadStatus::complete);
  CHECK(parser.head().status == 204);
}

TEST_CASE("http1: the media type is compared without case and parameters", "[proto][http1]") {
  CHECK(is_event_stream("text/event-stream"));
  CHECK(is_event_stream(" TEXT/Event-Stream ;charset=x"));
  CHECK_FALSE(is_event_stream("text/event-streams"));
  CHECK_FALSE(is_event_stream("application/json; x=text/event-stream"));
  CHECK_FALSE(is_event_stream(""));
  CHECK(media_type("Application/JSON; charset=utf-8") == "application/json");
}
