#include "rtreplay/debezium_values.h"

#include <optional>

#include "base/base64.h"
#include "base/text.h"
#include "base/units.h"
#include "pipe/bytes_json.h"
#include "proto/pg_json.h"
#include "proto/pg_time.h"
#include "proto/pg_types.h"

namespace rt::rtreplay {
namespace {

using namespace pg_type;  // NOLINT: the vocabulary of this file
using pgoutput::ValueKind;

constexpr std::int64_t kUsPerSecond = 1'000'000;
constexpr std::int64_t kUsPerDay = 86'400 * kUsPerSecond;
// PostgreSQL's JDBC driver has them so, and Debezium passes them on.
constexpr const char* kPositiveInfinity = "9223372036825200000";
constexpr const char* kNegativeInfinity = "-9223372036832400000";

void append_quoted_base64(std::string& out, std::string_view bytes) {
  out += '"';
  append_base64(out, bytes);
  out += '"';
}

// Bytes of a "\x00ff" text.
bool append_bytea(std::string& out, std::string_view text) {
  if (text.substr(0, 2) != "\\x" || text.size() % 2 != 0) return false;
  std::string bytes;
  for (std::size_t i = 2; i < text.size(); i += 2) {
    const auto byte = parse_hex(text.substr(i, 2));
    if (!byte) return false;
    bytes += static_cast<char>(*byte);
  }
  append_quoted_base64(out, bytes);
  return true;
}

// One bit is a boolean; more are bytes, the last bit of the text first.
bool append_bits(std::string& out, const ExportedTable::Column& column, std::string_view text) {
  if (text.find_first_not_of("01") != text.npos || text.empty()) return false;
  if (column.type_oid == kBit && column.typmod == 1) {
    out += text == "1" ? "true" : "false";
    return true;
  }
  std::string bytes((text.size() + 7) / 8, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[text.size() - 1 - i] != '1') continue;
    bytes[i / 8] = static_cast<char>(static_cast<unsigned char>(bytes[i / 8]) | (1u << (i % 8)));
  }
  append_quoted_base64(out, bytes);
  return true;
}

std::int64_t day_of(std::int64_t us) {
  return us / kUsPerDay - (us % kUsPerDay < 0 ? 1 : 0);
}

bool append_timestamp(std::string& out, std::int64_t unit, std::string_view text) {
  if (text == "infinity" || text == "-infinity") {
    out += text[0] == '-' ? kNegativeInfinity : kPositiveInfinity;
    return true;
  }
  const auto us = parse_pg_timestamp_us(text);
  if (us) out += std::to_string(*us / unit - (*us % unit < 0 ? 1 : 0));
  return us.has_value();
}

// "12:34:56.5+02" as "10:34:56.5Z".
bool append_zoned_time(std::string& out, std::string_view text) {
  const auto us = parse_pg_timestamp_us("1970-01-02 " + std::string(text));
  if (!us) return false;
  const std::string moment = format_rfc3339(from_unix_us(*us));
  out += '"' + moment.substr(moment.find('T') + 1) + '"';
  return true;
}

// Days; milliseconds of columns with up to three decimals, else microseconds; with a time zone ISO
// 8601 in UTC.
bool append_time(std::string& out, const ExportedTable::Column& column, std::string_view text) {
  const std::int64_t unit = column.typmod >= 0 && column.typmod <= 3 ? 1000 : 1;
  switch (column.type_oid) {
    case kDate: {
      const auto us = parse_pg_timestamp_us(std::string(text) + " 00:00:00");
      if (us) out += std::to_string(day_of(*us));
      return us.has_value();
    }
    case kTime:
      return append_timestamp(out, unit, "1970-01-01 " + std::string(text));
    case kTimestamp:
      return append_timestamp(out, unit, text);
    case kTimetz:
      return append_zoned_time(out, text);
    default: {
      const auto us = parse_pg_timestamp_us(text);
      if (us) out += '"' + format_rfc3339(from_unix_us(*us)) + '"';
      return us.has_value();
    }
  }
}

// "-04:05:06.789" in microseconds.
std::optional<std::int64_t> clock_part_us(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto parts = split(text, ':');
  if (parts.size() != 3) return std::nullopt;
  const auto hours = parse_decimal(parts[0]);
  const auto minutes = parse_decimal(parts[1]);
  const std::size_t point = parts[2].find('.');
  const auto seconds = parse_decimal(parts[2].substr(0, point));
  std::string fraction(point == std::string_view::npos ? "" : parts[2].substr(point + 1));
  fraction.resize(6, '0');
  const auto fraction_us = parse_decimal(fraction);
  // 178 million years, PostgreSQL's longest.
  if (!hours || !minutes || !seconds || !fraction_us || *hours > 2'000'000'000) return std::nullopt;
  const std::uint64_t whole = (*hours * 60 + *minutes) * 60 + *seconds;
  const auto us =
      static_cast<std::int64_t>(whole) * kUsPerSecond + static_cast<std::int64_t>(*fraction_us);
  return negative ? -us : us;
}

// "1 year 2 mons -3 days 04:05:06" in microseconds, months of 365.25 / 12 days.
bool append_interval(std::string& out, std::string_view text) {
  constexpr double kDaysPerMonth = 365.25 / 12;
  const auto words = split(text, ' ');
  double days = 0;
  std::int64_t us = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].find(':') != std::string_view::npos) {
      const auto clock = clock_part_us(words[i]);
      if (!clock || i + 1 != words.size()) return false;
      us = *clock;
      break;
    }
    if (i + 1 == words.size()) return false;
    const bool negative = words[i].starts_with('-');
    const auto number = parse_decimal(words[i].substr(negative || words[i].starts_with('+')));
    const std::string_view unit = words[++i];
    const double length = unit.starts_with("year")  ? 12 * kDaysPerMonth
                          : unit.starts_with("mon") ? kDaysPerMonth
                          : unit.starts_with("day") ? 1
                                                    : 0;
    if (!number || length == 0) return false;
    days += (negative ? -1 : 1) * static_cast<double>(*number) * length;
  }
  constexpr double kDaysMax = 106'751'991;  // what 64 bits of microseconds hold
  if (days > kDaysMax / 2 || days < -kDaysMax / 2) return false;
  out += std::to_string(static_cast<std::int64_t>(days * static_cast<double>(kUsPerDay)) + us);
  return true;
}

bool append_known(std::string& out, const ExportedTable::Column& column, std::string_view text) {
  switch (column.type_oid) {
    case kDate:
    case kTime:
    case kTimetz:
    case kTimestamp:
    case kTimestamptz:
      return append_time(out, column, text);
    case kInterval:
      return append_interval(out, text);
    case kBytea:
      return append_bytea(out, text);
    case kBit:
    case kVarbit:
      return append_bits(out, column, text);
    case kNumeric:
      if (text == "NaN") out += "\"NAN\"";
      return text == "NaN";
    case kBool:
    case kInt2:
    case kInt4:
    case kInt8:
    case kFloat4:
    case kFloat8:
    case kOid:
      append_json_value(out, column.type_oid, text);
      return true;
    default:
      if (element_of(column.type_oid) == 0) return false;
      append_json_value(out, column.type_oid, text);
      return true;
  }
}

}  // namespace

void append_debezium_value(std::string& out, const ExportedTable::Column& column,
                           const pgoutput::Value& value) {
  switch (value.kind) {
    case ValueKind::null:
      out += "null";
      return;
    case ValueKind::unchanged:
      out += "\"__debezium_unavailable_value\"";
      return;
    case ValueKind::binary:
      return append_quoted_base64(out, value.bytes);
    case ValueKind::text:
      if (!append_known(out, column, value.bytes)) append_bytes_json(out, value.bytes);
      return;
  }
}

}  // namespace rt::rtreplay
