#include "proto/copy_text.h"

#include <rapidcheck/catch.h>

#include <optional>
#include <vector>

#include "proto/pgoutput.h"

using namespace rt;

namespace {

using Row = std::vector<std::optional<std::string>>;

Row columns(std::string_view line) {
  Row row;
  std::string scratch;
  CopyLineReader reader(line);
  CopyColumn column;
  while (reader.next(column, scratch)) {
    if (column.is_null) {
      row.emplace_back();
    } else {
      row.emplace_back(std::string(column.text));
    }
  }
  return row;
}

Row columns_of_tuple(std::string_view line) {
  std::string bytes;
  REQUIRE(copy_text_to_tuple(line, bytes));
  const auto tuple = pgoutput::decode_tuple(bytes);
  REQUIRE(tuple);
  Row row;
  for (const pgoutput::Value value : *tuple) {
    if (value.kind == pgoutput::ValueKind::null) {
      row.emplace_back();
    } else {
      REQUIRE(value.kind == pgoutput::ValueKind::text);
      row.emplace_back(std::string(value.bytes));
    }
  }
  return row;
}

std::string line_of(const Row& row) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) line.push_back('\t');
    row[i] ? append_copy_text(line, *row[i]) : append_copy_null(line);
  }
  return line;
}

}  // namespace

TEST_CASE("copy text: lines mean what the documentation of COPY says", "[proto][copy_text]") {
  const std::vector<std::pair<std::string, Row>> vectors = {
      {"", {""}},
      {"a", {"a"}},
      {"a\tb", {"a", "b"}},
      {"\t", {"", ""}},
      {"a\t", {"a", ""}},
      {"\\N", {std::nullopt}},
      {"\\N\tx\t\\N", {std::nullopt, "x", std::nullopt}},
      {"\\\\N", {"\\N"}},
      {"\\Nx", {"Nx"}},
      {"N", {"N"}},
      {"\\b\\f\\n\\r\\t\\v", {"\b\f\n\r\t\v"}},
      {"a\\\\b", {"a\\b"}},
      {"a\\\tb\tc", {"a\tb", "c"}},  // an escaped delimiter is data
      {"\\0", {std::string(1, '\0')}},
      {"\\101\\60", {"A0"}},
      {"\\1019", {"A9"}},   // three octal digits at most
      {"\\777", {"\xff"}},  // only eight bits count
      {"\\8", {"8"}},
      {"\\x41\\x4a\\x4A", {"AJJ"}},
      {"\\x4", {"\x04"}},
      {"\\x4g", {"\x04g"}},
      {"\\x414", {"A4"}},  // two hex digits at most
      {"\\xg", {"xg"}},
      {"\\x", {"x"}},
      {"\\q\\.", {"q."}},
      {"a\\", {"a"}},  // a backslash at the very end means nothing
      {"\xc3\xa9\\\xc3\xa9", {"\xc3\xa9\xc3\xa9"}},
  };
  for (const auto& [line, row] : vectors) {
    INFO(line);
    CHECK(columns(line) == row);
    CHECK(columns_of_tuple(line) == row);
  }
}

TEST_CASE("copy text: what is written is one line and reads back, whatever the bytes",
          "[proto][copy_text]") {
  rc::prop("round trip", [](const std::vector<std::pair<bool, std::string>>& values) {
    RC_PRE(!values.empty());
    Row row;
    for (const auto& [is_null, text] : values) {
      row.push_back(is_null ? std::nullopt : std::optional(text));
    }
    const std::string line = line_of(row);
    RC_ASSERT(line.find('\n') == std::string::npos);
    RC_ASSERT(columns(line) == row);
    RC_ASSERT(columns_of_tuple(line) == row);
    std::string tuple;
    RC_ASSERT(copy_text_to_tuple(line, tuple));
    std::string again;
    RC_ASSERT(tuple_to_copy_text(*pgoutput::decode_tuple(tuple), again));
    RC_ASSERT(again == line);
  });
}

TEST_CASE("copy text: every byte by itself reads back", "[proto][copy_text]") {
  for (int byte = 0; byte < 256; ++byte) {
    const Row row = {std::string(1, static_cast<char>(byte)), "x"};
    CHECK(columns(line_of(row)) == row);
  }
}

TEST_CASE("copy text: a tuple is appended, and not at all beyond the column limit",
          "[proto][copy_text]") {
  std::string out = "kept";
  const std::string most(pgoutput::kMaxColumns - 1, '\t');
  CHECK(copy_text_to_tuple(most, out));
  CHECK(pgoutput::decode_tuple(std::string_view(out).substr(4))->size() == pgoutput::kMaxColumns);
  out = "kept";
  CHECK_FALSE(copy_text_to_tuple(most + "\t", out));
  CHECK(out == "kept");
}

TEST_CASE("copy text: a row with an unchanged or binary value has no text form",
          "[proto][copy_text]") {
  using namespace std::string_literals;
  for (const std::string& bytes : {"\0\2nu"s, "\0\2nb\0\0\0\1x"s}) {
    std::string line = "kept";
    CHECK_FALSE(tuple_to_copy_text(*pgoutput::decode_tuple(bytes), line));
    CHECK(line == "kept");
  }
}
