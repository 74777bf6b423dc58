#include "proto/pg_json.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "proto/copy_text.h"
#include "proto/json_compact.h"
#include "proto/pg_types.h"

using namespace rt;

namespace {

std::string json_of(std::uint32_t type_oid, std::string_view text) {
  std::string out;
  append_json_value(out, type_oid, text);
  return out;
}

// The result, or "no".
std::string compact(std::string_view text) {
  std::string out = "kept";
  const bool good = append_compact_json(out, text);
  CHECK(out.starts_with("kept"));
  CHECK((good || out == "kept"));
  return good ? out.substr(4) : "no";
}

std::string next_column(CopyLineReader& reader) {
  CopyColumn column;
  std::string scratch;
  REQUIRE(reader.next(column, scratch));
  return std::string(column.text);
}

}  // namespace

TEST_CASE("pg json: values become what to_json() of PostgreSQL 15 made of them",
          "[proto][pg_json]") {
  std::ifstream in(RT_SOURCE_DIR "/tests/proto/golden/to_json.txt");
  int checked = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    CopyLineReader reader(line);
    const auto oid = static_cast<std::uint32_t>(parse_decimal(next_column(reader)).value());
    const std::string type = next_column(reader);
    const std::string text = next_column(reader);
    const std::string expected = next_column(reader);
    INFO(type << ": " << text);
    if (oid == 0 && type.ends_with("[]")) {
      CHECK(json_of(oid, text) == '"' + text + '"');  // an array of a user's type stays a string
    } else {
      CHECK(json_of(oid, text) == expected);
    }
    ++checked;
  }
  CHECK(checked == 112);
}

TEST_CASE("pg json: text that its type does not write becomes a string", "[proto][pg_json]") {
  CHECK(json_of(pg_type::kBool, "true") == "\"true\"");
  CHECK(json_of(pg_type::kInt4, "") == "\"\"");
  CHECK(json_of(pg_type::kInt4, "01") == "\"01\"");
  CHECK(json_of(pg_type::kNumeric, "1.") == "\"1.\"");
  CHECK(json_of(pg_type::kJson, "{\"a\":}") == R"("{\"a\":}")");
  CHECK(json_of(pg_type::kJson, "") == "\"\"");
  CHECK(json_of(pg_type::kTimestamp, "29.03.2026 01:30:00") == "\"29.03.2026 01:30:00\"");
  CHECK(json_of(pg_type::kTimestamp, "2025-06-01 00:00:00\"") == "\"2025-06-01 00:00:00\\\"\"");
  CHECK(json_of(pg_type::oid_of("_int4"), "{1,2") == "\"{1,2\"");
  CHECK(json_of(pg_type::oid_of("_text"), "{a}\n{") == R"("{a}\n{")");
}

TEST_CASE("pg json: bytes that are not UTF-8 are repaired wherever they stand",
          "[proto][pg_json]") {
  CHECK(json_of(pg_type::kText, "a\xff") == "\"a\xEF\xBF\xBD\"");
  CHECK(json_of(pg_type::kJson, "{\"a\xff\": 1}") == "{\"a\xEF\xBF\xBD\":1}");
  CHECK(json_of(pg_type::oid_of("_text"), "{a\xff}") == "[\"a\xEF\xBF\xBD\"]");
}

TEST_CASE("pg json: offsets other than UTC get their minutes too", "[proto][pg_json]") {
  CHECK(json_of(pg_type::kTimestamptz, "2025-06-01 00:00:00.5-09") ==
        "\"2025-06-01T00:00:00.5-09:00\"");
  CHECK(json_of(pg_type::kTimestamptz, "2025-06-01 00:00:00+05:30") ==
        "\"2025-06-01T00:00:00+05:30\"");
  CHECK(json_of(pg_type::kTimestamptz, "1800-06-01 00:00:00+00:19:32 BC") ==
        "\"1800-06-01T00:00:00+00:19:32 BC\"");
}

TEST_CASE("compact json: only white space between tokens goes", "[proto][json_compact]") {
  CHECK(compact(" { \"a\" : [ 1.50e+3 , \"x y\\u00e9\\\"\" , { } , [ ] ] , \"a\" : null } ") ==
        "{\"a\":[1.50e+3,\"x y\\u00e9\\\"\",{},[]],\"a\":null}");
  CHECK(compact("-0") == "-0");
}

TEST_CASE("compact json: it accepts what a complete parser accepts, and nothing else",
          "[proto][json_compact]") {
  // Every text of up to five tokens from a set that can go wrong in every way.
  const std::vector<std::string> tokens = {"{",     "}", "[", "]",    ",",       ":",
                                           "\"k\"", "1", "-", "null", "\"\\x\"", " "};
  std::vector<std::string> texts = {""};
  std::size_t first = 0;
  std::size_t accepted = 0;
  for (int length = 1; length <= 5; ++length) {
    const std::size_t last = texts.size();
    for (std::size_t i = first; i < last; ++i) {
      for (const std::string& token : tokens) {
        if (length < 5) texts.push_back(texts[i] + token);
        const std::string text = texts[i] + token;
        std::string out;
        const bool ours = append_compact_json(out, text);
        if (ours) ++accepted;
        if (ours != nlohmann::json::accept(text)) FAIL("disagree on " << text);
      }
    }
    first = last;
  }
  CHECK(accepted > 100);
}

TEST_CASE("compact json: numbers, strings and depth keep to RFC 8259", "[proto][json_compact]") {
  for (const char* good :
       {"0", "-0.5", "1e5", "1E-5", "10.25e+07", "\"\\u12aF\"", "\"\x7f\"", "true"}) {
    CHECK(compact(good) == good);
  }
  for (const char* bad :
       {"00", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "-", "\"\\u12a\"", "\"\\u12aG\"", "\"",
        "\"a", "\"\n\"", "'a'", "tru", "truex", "1 2", "nul"}) {
    INFO(bad);
    CHECK(compact(bad) == "no");
  }
  CHECK(compact(std::string(kJsonDepthMax, '[') + std::string(kJsonDepthMax, ']')) != "no");
  CHECK(compact(std::string(kJsonDepthMax + 1, '[') + std::string(kJsonDepthMax + 1, ']')) == "no");
}
