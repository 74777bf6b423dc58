#include "proto/http1_request.h"

#include <catch2/catch.hpp>
#include <string>

#include "proto/percent.h"

using namespace rt;
using namespace rt::http1;

namespace {

struct Outcome {
  HeadStatus status;
  int refusal;
};

Outcome outcome_of(const std::string& head, std::size_t split = 0,
                   const RequestLimits& limits = {}) {
  RequestParser parser(limits);
  const std::string first = head.substr(0, split);
  const std::string second = head.substr(std::min(split, head.size()));
  HeadStatus status = HeadStatus::need_more;
  for (const std::string* piece : {&first, &second}) {
    std::string_view bytes = *piece;
    if (status == HeadStatus::need_more && !bytes.empty()) status = parser.receive(bytes);
  }
  return {status, parser.refusal_status()};
}

const std::string kHost = "Host: a\r\n";

}  // namespace

TEST_CASE("http1 request: a head reads the same at every split point", "[proto][http1]") {
  const std::string head =
      "GET /v1/runs/stream?filter=%7B%22a%22:1%7D&x=a+b HTTP/1.1\r\nHost: h:80\r\n"
      "Last-Event-ID:  7-1 \r\nAccept: text/event-stream\r\n\r\n";
  const std::string wire = head + "BODY";
  for (std::size_t at = 0; at <= wire.size(); ++at) {
    RequestParser parser;
    const std::string first = wire.substr(0, at);
    const std::string second = wire.substr(at);
    std::string_view bytes = first;
    HeadStatus status = parser.receive(bytes);
    std::string rest(bytes);
    if (status == HeadStatus::need_more) {
      REQUIRE(at < head.size());
      bytes = second;
      status = parser.receive(bytes);
      rest = bytes;
    } else {
      rest += second;
    }
    REQUIRE(status == HeadStatus::complete);
    CHECK(rest == "BODY");
    const RequestHead& request = parser.head();
    CHECK(request.method == "GET");
    CHECK(request.path == "/v1/runs/stream");
    CHECK(request.parameter("filter") == "{\"a\":1}");
    CHECK(request.parameter("x") == "a b");
    CHECK_FALSE(request.parameter("y"));
    CHECK(request.header("last-event-id") == "7-1");
    CHECK(request.header("absent").empty());
    CHECK(request.keep_alive);
    CHECK_FALSE(request.has_body());
  }
}

TEST_CASE("http1 request: bodies, versions and connections are told apart", "[proto][http1]") {
  const auto parse = [](RequestParser& parser, const std::string& head) {
    std::string_view bytes = head;
    REQUIRE(parser.receive(bytes) == HeadStatus::complete);
  };
  const std::string post = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n";
  RequestParser sized;
  parse(sized, post);
  CHECK(sized.head().content_length == 12);
  CHECK(sized.head().has_body());

  const std::string chunked = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n";
  RequestParser coded;
  parse(coded, chunked);
  CHECK(coded.head().chunked);
  CHECK(coded.head().has_body());

  const std::string old = "GET /a HTTP/1.0\r\n\r\n";
  RequestParser older;
  parse(older, old);
  CHECK(older.head().version == 10);
  CHECK_FALSE(older.head().keep_alive);

  const std::string closing = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  RequestParser closed;
  parse(closed, closing);
  CHECK_FALSE(closed.head().keep_alive);
}

TEST_CASE("http1 request: path and query come from every form of target", "[proto][http1]") {
  struct Case {
    const char* target;
    const char* path;
    const char* query;
  };
  const Case cases[] = {
      {"/", "/", ""},
      {"/a%20b/%C3%A9", "/a b/\xC3\xA9", ""},
      {"/a+b", "/a+b", ""},
      {"/a?", "/a", ""},
      {"/a?b?c", "/a", "b?c"},
      {"http://h:1/p?q", "/p", "q"},
      {"http://h", "/", ""},
      {"http://h?q", "/", "q"},
      {"*", "*", ""},
      {"//two", "//two", ""},
      {"/u?to=http://x", "/u", "to=http://x"},
  };
  for (const Case& c : cases) {
    INFO(c.target);
    RequestParser parser;
    const std::string head = "OPTIONS " + std::string(c.target) + " HTTP/1.1\r\n" + kHost + "\r\n";
    std::string_view bytes = head;
    REQUIRE(parser.receive(bytes) == HeadStatus::complete);
    CHECK(parser.head().path == c.path);
    CHECK(parser.head().query == c.query);
  }
}

TEST_CASE("http1 request: bad heads are refused with their status at every split point",
          "[proto][http1]") {
  struct Case {
    std::string head;
    int status;
  };
  const std::string get = "GET / HTTP/1.1\r\n" + kHost;
  const Case cases[] = {
      {"GET / HTTP/1.1\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
      {get + " folded: x\r\n\r\n", 400},
      {get + "A : b\r\n\r\n", 400},
      {get + "A\r\n\r\n", 400},
      {get + ": b\r\n\r\n", 400},
      {get + std::string("A: b\0c\r\n\r\n", 10), 400},
      {get + "A: b\x01\r\n\r\n", 400},
      {get + "A: b\rc\r\n\r\n", 400},
      {get + "Host: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"G@T / HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"GET  / HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"GET /a b HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"GET a HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"GET /%2 HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"GET /%zz HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"GET /%00 HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"GET /?a=% HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"GET /\r\n" + kHost + "\r\n", 400},
      {"GET / HTTP/2.0\r\n" + kHost + "\r\n", 505},
      {"GET / HTTP/1.2\r\n" + kHost + "\r\n", 505},
      {get + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {get + "Content-Length: -1\r\n\r\n", 400},
      {get + "Content-Length: 1x\r\n\r\n", 400},
      {get + "Content-Length: 99999999999999999999\r\n\r\n", 400},
      {get + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {get + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
      {get + "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\n", 400},
      {get + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {get + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {get + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {get + "Transfer-Encoding: xchunked\r\n\r\n", 501},
      {get + "Content-Length: 1048577\r\n\r\n", 413},
      {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\r\n\r\n", 15), 400},
  };
  for (const Case& c : cases) {
    for (std::size_t at = 0; at <= c.head.size(); ++at) {
      INFO(c.head << " split at " << at);
      const Outcome outcome = outcome_of(c.head, at);
      CHECK(outcome.status == HeadStatus::bad);
      CHECK(outcome.refusal == c.status);
    }
  }
}

TEST_CASE("http1 request: heads, targets and header counts have bounds", "[proto][http1]") {
  const std::string start = "GET / HTTP/1.1\r\n" + kHost;
  CHECK(outcome_of("GET /" + std::string(20'000, 'a')).refusal == 414);
  CHECK(outcome_of("GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\n" + kHost + "\r\n").refusal ==
        414);
  CHECK(outcome_of(start + "A: " + std::string(20'000, 'a'), 100).refusal == 431);
  std::string many = start;
  for (int i = 0; i < 101; ++i) many += "A: b\r\n";
  CHECK(outcome_of(many + "\r\n").refusal == 431);

  const std::string padding(kHeadBytesMax - start.size() - 7, 'p');  // "A: " and two line ends
  const std::string exact = start + "A: " + padding + "\r\n\r\n";
  REQUIRE(exact.size() == kHeadBytesMax);
  CHECK(outcome_of(exact).status == HeadStatus::complete);
  CHECK(outcome_of(exact, 1'000).status == HeadStatus::complete);
  CHECK(outcome_of(start + "A: p" + padding + "\r\n\r\n", 1'000).refusal == 431);
}

TEST_CASE("http1 request: blank lines before the head are skipped", "[proto][http1]") {
  const std::string head = "\r\n\r\nGET /x HTTP/1.1\r\n" + kHost + "\r\n";
  for (std::size_t at = 0; at <= head.size(); ++at) {
    CHECK(outcome_of(head, at).status == HeadStatus::complete);
  }
}

TEST_CASE("percent: what is encoded decodes to itself", "[proto][http1]") {
  std::string all;
  for (int c = 1; c < 256; ++c) all.push_back(static_cast<char>(c));
  std::string encoded;
  append_percent_encoded(encoded, all);
  CHECK(percent_decode(encoded) == all);
  CHECK(percent_decode(encoded, Plus::space) == all);
  CHECK_FALSE(percent_decode("%"));
  CHECK_FALSE(percent_decode("%4"));
  CHECK_FALSE(percent_decode("%g0"));
}

TEST_CASE("percent: the first parameter of a name counts", "[proto][http1]") {
  CHECK(query_parameter("a=1&b=2&a=3", "a") == "1");
  CHECK(query_parameter("a=1&b=2", "b") == "2");
  CHECK(query_parameter("a&b=", "a") == "");
  CHECK(query_parameter("a&b=", "b") == "");
  CHECK(query_parameter("&&c=x=y", "c") == "x=y");
  CHECK(query_parameter("%61=1", "a") == "1");
  CHECK_FALSE(query_parameter("", "a"));
  CHECK_FALSE(query_parameter("aa=1", "a"));
}
