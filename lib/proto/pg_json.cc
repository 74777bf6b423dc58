#include "proto/pg_json.h"

#include <algorithm>

#include "base/text.h"
#include "proto/json_compact.h"
#include "proto/pg_array.h"
#include "proto/pg_types.h"

namespace rt {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool append_bool(std::string& out, std::string_view text) {
  if (text != "t" && text != "f") return false;
  out.append(text == "t" ? "true" : "false");
  return true;
}

// NaN and Infinity have no number in JSON: false.
bool append_number(std::string& out, std::string_view text) {
  if (!is_json_number(text)) return false;
  out.append(text);
  return true;
}

// The shape dddd-dd-dd dd:dd:dd, any year of at least four digits, at the head of text: its size,
// or 0.
std::size_t date_time_size(std::string_view text) {
  std::size_t year = 0;
  while (year < text.size() && is_digit(text[year])) ++year;
  constexpr std::string_view kShape = "-00-00 00:00:00";
  if (year < 4 || text.size() < year + kShape.size()) return 0;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const char c = text[year + i];
    if (kShape[i] == '0' ? !is_digit(c) : c != kShape[i]) return 0;
  }
  return year + kShape.size();
}

// Everything a timestamp may end in, none of which needs an escape.
bool is_time_suffix(std::string_view text) {
  return text.find_first_not_of(".0123456789+-: BC") == std::string_view::npos;
}

// ISO 8601 as to_json() writes it: a T between date and time, and an offset with minutes
// ("+00:00").
bool append_timestamp(std::string& out, std::string_view text) {
  const std::size_t size = date_time_size(text);
  if (size == 0 || !is_time_suffix(text.substr(size))) return false;
  const std::size_t time = text.find(' ');
  out.push_back('"');
  out.append(text.substr(0, time)).push_back('T');
  const std::string_view rest = text.substr(time + 1);
  const std::size_t sign = rest.find_first_of("+-");
  const std::size_t era = std::min(rest.find(' '), rest.size());
  out.append(rest.substr(0, era));
  if (sign != std::string_view::npos && era - sign == 3) out.append(":00");
  out.append(rest.substr(era)).push_back('"');
  return true;
}

void append_scalar(std::string& out, std::uint32_t type_oid, std::string_view text) {
  bool done = false;
  switch (type_oid) {
    case pg_type::kBool:
      done = append_bool(out, text);
      break;
    case pg_type::kInt2:
    case pg_type::kInt4:
    case pg_type::kInt8:
    case pg_type::kFloat4:
    case pg_type::kFloat8:
    case pg_type::kNumeric:
      done = append_number(out, text);
      break;
    case pg_type::kTimestamp:
    case pg_type::kTimestamptz:
      done = append_timestamp(out, text);
      break;
    case pg_type::kJson:
    case pg_type::kJsonb:
      done = append_compact_json(out, text);
      break;
    default:
      break;
  }
  if (!done) append_json_string(out, text);
}

bool append_array(std::string& out, std::uint32_t element_oid, std::string_view text) {
  const std::size_t start = out.size();
  std::string scratch;  // allocates only for elements with escapes beyond 15 bytes
  ArrayReader reader(text, scratch, pg_type::array_delimiter(element_oid));
  bool first = true;
  while (true) {
    const ArrayReader::Step step = reader.next();
    if (step == ArrayReader::Step::end) return true;
    if (step == ArrayReader::Step::bad) break;
    if (step == ArrayReader::Step::close) {
      out.push_back(']');
      first = false;
      continue;
    }
    if (!first) out.push_back(',');
    first = step == ArrayReader::Step::open;
    if (step == ArrayReader::Step::open) {
      out.push_back('[');
    } else if (reader.is_null()) {
      out.append("null");
    } else {
      append_scalar(out, element_oid, reader.text());
    }
  }
  out.resize(start);
  return false;
}

}  // namespace

void append_json_value(std::string& out, std::uint32_t type_oid, std::string_view text) {
  // Every array's text begins so; others need not be looked up.
  if (text.starts_with('{') || text.starts_with('[')) {
    const std::uint32_t element_oid = pg_type::element_of(type_oid);
    if (element_oid != 0 && append_array(out, element_oid, text)) return;
  }
  append_scalar(out, type_oid, text);
}

}  // namespace rt
