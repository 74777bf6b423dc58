#include "proto/sse_writer.h"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <string>

#include "proto/sse_reference.h"

using namespace rt::sse;
using namespace std::string_literals;
using namespace std::chrono_literals;

TEST_CASE("sse writer: id, event and data come in this order, then a blank line", "[proto][sse]") {
  std::string out;
  REQUIRE(append_event(out, {.event = "delta", .data = "{}", .id = "8"}));
  CHECK(out == "id: 8\nevent: delta\ndata: {}\n\n");
  out.clear();
  REQUIRE(append_event(out, {.event = "", .data = "", .id = ""}));
  CHECK(out == "data: \n\n");
}

TEST_CASE("sse writer: data is cut at CR, LF and CRLF", "[proto][sse]") {
  std::string out;
  REQUIRE(append_event(out, {.event = "", .data = "a\nb\rc\r\nd\n\re\n", .id = ""}));
  CHECK(out == "data: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: e\ndata: \n\n");
}

TEST_CASE("sse writer: ids and events that would break the frame are refused", "[proto][sse]") {
  for (const std::string& bad : {"a\nb"s, "a\rb"s, "a\0b"s}) {
    std::string out = "kept";
    CHECK_FALSE(append_event(out, {.event = bad, .data = "x", .id = ""}));
    CHECK_FALSE(append_event(out, {.event = "", .data = "x", .id = bad}));
    CHECK(out == "kept");
  }
}

TEST_CASE("sse writer: comments and retry", "[proto][sse]") {
  std::string out;
  append_comment(out, "keepalive");
  append_comment(out, "two\r\ndata: lines");
  append_retry(out, 5'000ms);
  append_retry(out, -1ms);
  CHECK(out == ": keepalive\n\n: two\n: data: lines\n\nretry: 5000\n\nretry: 0\n\n");
}

TEST_CASE("sse writer: what is written is read back, however it is cut", "[proto][sse]") {
  rc::prop("write, cut anywhere, parse", [] {
    const auto text = rc::gen::container<std::string>(
        rc::gen::element('a', ':', ' ', '\t', '\r', '\n', '\0', '\xEF', '\xBB', '\xBF', '\xC3',
                         '\xA9', '{', '\x0B'));
    const std::string data = *text;
    const std::string id = *text;
    const std::string event = *text;
    std::string out;
    const bool written = append_event(out, {.event = event, .data = data, .id = id});
    RC_ASSERT(written == (is_field_safe(id) && is_field_safe(event)));
    if (!written) {
      RC_ASSERT(out.empty());
      return;
    }
    std::string normal;  // line ends become LF
    for (std::size_t i = 0; i < data.size(); ++i) {
      if (data[i] == '\r' && i + 1 < data.size() && data[i + 1] == '\n') continue;
      normal.push_back(data[i] == '\r' ? '\n' : data[i]);
    }
    const Items expected = {(event.empty() ? "message" : event) + "~" + normal + "~" + id};
    const auto at = *rc::gen::inRange<std::size_t>(0, out.size() + 1);
    RC_ASSERT(parse_split_at(out, at, {.repair_utf8 = false}) == expected);
  });
}
