#include "proto/chunked.h"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using rt::http1::ChunkedDecoder;
using Status = ChunkedDecoder::Status;

namespace {

struct Decoded {
  Status status;
  std::string body;
  std::string rest;
};

Decoded decode(const std::vector<std::string>& pieces) {
  ChunkedDecoder decoder;
  Decoded decoded{Status::need_more, "", ""};
  for (const std::string& piece : pieces) {
    std::string_view bytes = piece;
    std::string_view payload;
    while ((decoded.status = decoder.next(bytes, payload)) == Status::payload) {
      REQUIRE_FALSE(payload.empty());
      decoded.body.append(payload);
    }
    decoded.rest.append(bytes);
  }
  return decoded;
}

std::vector<std::string> split_at(const std::string& text, std::size_t at) {
  return {text.substr(0, at), text.substr(at)};
}

std::vector<std::string> single_bytes(const std::string& text) {
  std::vector<std::string> pieces;
  for (const char c : text) pieces.emplace_back(1, c);
  return pieces;
}

}  // namespace

TEST_CASE("chunked: bodies decode the same at every split point", "[proto][http1]") {
  struct Case {
    std::string coded;
    std::string body;
  };
  const std::vector<Case> cases = {
      {"0\r\n\r\n", ""},
      {"3\r\nabc\r\n0\r\n\r\n", "abc"},
      {"3\r\nabc\r\nA\r\n0123456789\r\n000\r\n\r\n", "abc0123456789"},
      {"a;name=value;q=\"x\"\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n\r\n\r\n\r\n"},
      {"2 \t\r\nab\r\n0  ;x\r\n\r\n", "ab"},
      {"1\r\nx\r\n0\r\nDigest: abc\r\nX: y\r\n\r\n", "x"},
  };
  for (const Case& c : cases) {
    INFO(c.coded);
    for (std::size_t at = 0; at <= c.coded.size(); ++at) {
      const Decoded decoded = decode(split_at(c.coded + "HTTP/1.1 ", at));
      CHECK(decoded.status == Status::done);
      CHECK(decoded.body == c.body);
      CHECK(decoded.rest == "HTTP/1.1 ");
    }
    CHECK(decode(single_bytes(c.coded)).body == c.body);
  }
}

TEST_CASE("chunked: what the grammar does not allow is bad, however it is split",
          "[proto][http1]") {
  const std::vector<std::string> cases = {
      "\r\n",
      "g\r\n",
      "-1\r\n",
      "+1\r\n",
      "0x1\r\n",
      " 1\r\n",
      ";x\r\n",
      "1\nx",
      "1\rx",
      "1 2\r\n",
      "1 \n",
      "3\r\nabcd\r\n",
      "3\r\nabc\n0\r\n",
      "3\r\nabc\r0",
      "1;a\nx",
      "1;a\x01",
      "0\r\n\n",
      "0\r\n\rx",
      "0\r\nA: b\n",
      "0\r\n folded: x\r\n",
      "10000000000000000\r\n",
      "FFFFFFFFFFFFFFFFF\r\n",
      std::string(17'000, '0'),
      "1;" + std::string(17'000, 'e'),
      "0\r\n" + std::string(17'000, 't'),
  };
  for (const std::string& coded : cases) {
    INFO(coded.substr(0, 40));
    CHECK(decode({coded}).status == Status::bad);
    CHECK(decode(single_bytes(coded)).status == Status::bad);
    for (std::size_t at = 0; at <= std::min<std::size_t>(coded.size(), 40); ++at) {
      CHECK(decode(split_at(coded, at)).status == Status::bad);
    }
  }
}

TEST_CASE("chunked: an unfinished body is need_more at every cut", "[proto][http1]") {
  const std::string coded = "5;x\r\nhello\r\n0\r\nT: v\r\n\r\n";
  for (std::size_t at = 0; at < coded.size(); ++at) {
    CHECK(decode({coded.substr(0, at)}).status == Status::need_more);
  }
}

TEST_CASE("chunked: payload pieces point into the caller's bytes", "[proto][http1]") {
  ChunkedDecoder decoder;
  const std::string coded = "4\r\nwxyz\r\n";
  std::string_view bytes = coded;
  std::string_view payload;
  REQUIRE(decoder.next(bytes, payload) == Status::payload);
  CHECK(payload.data() == coded.data() + 3);
}

TEST_CASE("chunked: whatever is coded comes back", "[proto][http1]") {
  rc::prop("encode, cut anywhere, decode", [](const std::vector<std::string>& parts) {
    std::string coded;
    std::string body;
    for (const std::string& part : parts) {
      if (part.empty()) continue;
      char size[20];
      std::snprintf(size, sizeof size, "%zx\r\n", part.size());
      coded.append(size).append(part).append("\r\n");
      body.append(part);
    }
    coded.append("0\r\n\r\n");
    const auto at = *rc::gen::inRange<std::size_t>(0, coded.size() + 1);
    const Decoded decoded = decode(split_at(coded, at));
    RC_ASSERT(decoded.status == Status::done);
    RC_ASSERT(decoded.body == body);
  });
}

TEST_CASE("chunked: a stream without end may pad the size of every chunk", "[proto][http1]") {
  std::string coded;
  std::string body;
  for (int chunk = 0; chunk < 10'000; ++chunk) {
    coded += "0000000A;x\r\n0123456789\r\n";
    body += "0123456789";
  }
  const Decoded decoded = decode({coded});
  CHECK(decoded.status == Status::need_more);
  CHECK(decoded.body == body);
}

TEST_CASE("chunked: more padding than payload ends in an error", "[proto][http1]") {
  std::string coded;
  for (int chunk = 0; chunk < 10'000; ++chunk) coded += "000000001;xxxxxxxx\r\n0\r\n";
  CHECK(decode({coded}).status == Status::bad);
}
