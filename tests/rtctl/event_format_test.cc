#include "rtctl/event_format.h"

#include <catch2/catch.hpp>

#include "rtctl/event_age.h"
#include "rtctl/json_view.h"
#include "rtctl/terminal_text.h"

namespace rt::rtctl {
namespace {

const WallTime kTime = from_unix_us(1'774'744'200'123'456);  // 2026-03-29T00:30:00.123456Z

ShownEvent event(std::string_view name, std::string_view id, std::string_view data) {
  return {kTime, name, id, data, {}, std::nullopt, std::nullopt, 0, false};
}

std::string shown(const ShownEvent& what, const FormatOptions& options) {
  std::string out;
  append_event(out, what, options);
  return out;
}

std::string pretty(std::string_view json, std::size_t columns) {
  std::string out;
  append_json_pretty(out, json, {false, columns, 0, 20});
  return out;
}

TEST_CASE("format: one NDJSON record an event, data as the exact string", "[rtctl][format]") {
  FormatOptions options;
  options.format = EventFormat::ndjson;
  CHECK(shown(event("delta", "7", "{\"a\": 1.0}\nb"), options) ==
        "{\"v\":1,\"type\":\"event\",\"recv\":\"2026-03-29T00:30:00.123456Z\",\"id\":\"7\","
        "\"event\":\"delta\",\"data\":\"{\\\"a\\\": 1.0}\\nb\",\"conn\":0}\n");
}

TEST_CASE("format: parsed JSON keeps its own spelling on one line, other data stays a string",
          "[rtctl][format]") {
  FormatOptions options;
  options.format = EventFormat::ndjson;
  options.parse_json = true;
  CHECK(shown(event("e", "", "{\"b\":1.00,\n\"a\":12345678901234567890}"), options)
            .find("\"data\":{\"b\":1.00, \"a\":12345678901234567890},") != std::string::npos);
  CHECK(shown(event("e", "", "{oops"), options).find("\"data\":\"{oops\",") != std::string::npos);
}

TEST_CASE("format: latency is a field of its own, present when known", "[rtctl][format]") {
  FormatOptions options;
  options.format = EventFormat::ndjson;
  ShownEvent late = event("e", "", "x");
  late.latency_ms = 1.5;
  CHECK(shown(late, options).find(",\"lat_ms\":1.500,") != std::string::npos);
}

TEST_CASE("format: raw is an event stream again", "[rtctl][format]") {
  FormatOptions options;
  options.format = EventFormat::raw;
  CHECK(shown(event("delta", "7", "a\nb"), options) == "id: 7\nevent: delta\ndata: a\ndata: b\n\n");
  CHECK(shown(event("message", "", ""), options) == "data: \n\n");
  ShownEvent cleared = event("message", "", "x");
  cleared.id_cleared = true;
  CHECK(shown(cleared, options) == "id\ndata: x\n\n");
}

TEST_CASE("format: text without a terminal is one line an event, control characters spelt out",
          "[rtctl][format]") {
  CHECK(shown(event("delta", "7", "a\tb\nc\x1b[2J"), {}) ==
        "2026-03-29T00:30:00.123Z  delta       7  a\\tb\\nc\\u001b[2J\n");
  CHECK(shown(event("a-rather-long-name", "", "x"), {}) ==
        "2026-03-29T00:30:00.123Z  a-rather-long-name  -  x\n");
}

TEST_CASE("format: on a terminal long data gets lines of its own, JSON indented",
          "[rtctl][format]") {
  FormatOptions options;
  options.terminal = true;
  options.columns = 40;
  CHECK(shown(event("delta", "7", R"({"id":"r1"})"), options) ==
        "2026-03-29T00:30:00.123Z  delta       7  {\"id\": \"r1\"}\n");
  CHECK(shown(event("delta", "7", R"({"id":"r1","status":"running","tags":["a","b"]})"), options) ==
        "2026-03-29T00:30:00.123Z  delta       7\n"
        "  {\n"
        "    \"id\": \"r1\",\n"
        "    \"status\": \"running\",\n"
        "    \"tags\": [\"a\", \"b\"]\n"
        "  }\n");
}

TEST_CASE("format: colours only if asked for", "[rtctl][format]") {
  FormatOptions options;
  options.terminal = true;
  CHECK(shown(event("e", "1", "{\"a\":1}"), options).find('\x1b') == std::string::npos);
  options.colour = true;
  CHECK(shown(event("e", "1", "{\"a\":1}"), options).find('\x1b') != std::string::npos);
}

TEST_CASE("json: pretty printing keeps order, numbers and escapes", "[rtctl][json]") {
  CHECK(pretty(R"( { "b" : [ ] , "a":{} ,"n":1.00e+2,"u":"\u00e9\"" } )", 80) ==
        R"({"b": [], "a": {}, "n": 1.00e+2, "u": "\u00e9\""})");
  CHECK(pretty("[1,[2,3]]", 5) == "[\n  1,\n  [\n    2,\n    3\n  ]\n]");
  CHECK(pretty("[1,[2,3]]", 8) == "[\n  1,\n  [\n    2,\n    3\n  ]\n]");
  CHECK(pretty("[1,[2,3]]", 9) == "[\n  1,\n  [2, 3]\n]");
  CHECK(pretty("null", 9) == "null");
}

TEST_CASE("json: long strings are folded, and how much is missing is said", "[rtctl][json]") {
  CHECK(pretty("\"" + std::string(30, 'x') + "\"", 80) ==
        "\"" + std::string(19, 'x') + "\u2026 (+12)");
}

TEST_CASE("json: deep nesting costs no stack", "[rtctl][json]") {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  REQUIRE(is_json(deep));
  CHECK(pretty(deep, 1'000'000).size() == 200'000);
}

TEST_CASE("json: members are found as they stand", "[rtctl][json]") {
  const auto members = json_members(R"( {"a" : "x,}" , "b":[1, {"c":2}],"d":3} )");
  REQUIRE(members.size() == 3);
  CHECK(members[0].name == "\"a\"");
  CHECK(members[0].value == "\"x,}\"");
  CHECK(members[1].value == "[1, {\"c\":2}]");
  CHECK(members[2].value == "3");
  CHECK(json_members("{}").empty());
}

TEST_CASE("terminal text: characters are cut whole", "[rtctl][text]") {
  std::string out;
  append_folded(out, "h\u00e9llo", 2);
  CHECK(out == "h\u00e9\u2026 (+3)");
}

TEST_CASE("event age: the first known time member counts", "[rtctl][text]") {
  CHECK(*event_age_ms(R"({"ts":"2026-03-29T00:30:00Z","x":1})", kTime) == Approx(123.456));
  CHECK(*event_age_ms(R"({"ts":"2020-01-01T00:00:00Z","updated_at":"2026-03-29T00:30:00.1Z"})",
                      kTime) == Approx(23.456));
  CHECK_FALSE(event_age_ms(R"({"ts":5})", kTime));
  CHECK_FALSE(event_age_ms(R"(["ts"])", kTime));
  CHECK_FALSE(event_age_ms("no json", kTime));
}

TEST_CASE("totals: one line that reads well", "[rtctl][format]") {
  CHECK(totals_line({1, 2048, 1, 0, std::chrono::seconds(2)})
            .rfind("1 event, 2.0 KiB, 0.5/s, 1 reconnect, 0 gaps in ", 0) == 0);
}

}  // namespace
}  // namespace rt::rtctl
