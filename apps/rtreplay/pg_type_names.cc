#include "rtreplay/pg_type_names.h"

#include <fmt/format.h>

#include "proto/pg_types.h"

namespace rt::rtreplay {
namespace {

using namespace pg_type;  // NOLINT: a table of these names

std::string with_length(const char* name, std::int32_t typmod, std::int32_t header) {
  return typmod < header ? std::string(name) : fmt::format("{}({})", name, typmod - header);
}

std::string with_precision(const char* name, const char* zone, std::int32_t typmod) {
  return typmod < 0 ? fmt::format("{}{}", name, zone) : fmt::format("{}({}){}", name, typmod, zone);
}

// The SQL spelling where it differs from pg_type.typname.
std::string sql_name(std::uint32_t oid, std::int32_t typmod) {
  constexpr std::int32_t kHeader = 4;  // VARHDRSZ stands in these modifiers
  switch (oid) {
    case kBool:
      return "boolean";
    case kInt2:
      return "smallint";
    case kInt4:
      return "integer";
    case kInt8:
      return "bigint";
    case kFloat4:
      return "real";
    case kFloat8:
      return "double precision";
    case kChar:
      return "\"char\"";
    case kVarchar:
      return with_length("character varying", typmod, kHeader);
    case kBpchar:
      return with_length("character", typmod, kHeader);
    case kBit:
      return with_length("bit", typmod, 0);
    case kVarbit:
      return with_length("bit varying", typmod, 0);
    case kNumeric:
      if (typmod < kHeader) return "numeric";
      return fmt::format("numeric({},{})", (typmod - kHeader) >> 16,
                         (((typmod - kHeader) & 0x7ff) ^ 1024) - 1024);
    case kTimestamp:
      return with_precision("timestamp", " without time zone", typmod);
    case kTimestamptz:
      return with_precision("timestamp", " with time zone", typmod);
    case kTime:
      return with_precision("time", " without time zone", typmod);
    case kTimetz:
      return with_precision("time", " with time zone", typmod);
    default:
      return {};
  }
}

}  // namespace

std::string pg_type_name(std::uint32_t oid, std::int32_t typmod) {
  if (const std::uint32_t element = element_of(oid)) return pg_type_name(element, typmod) + "[]";
  std::string name = sql_name(oid, typmod);
  if (!name.empty()) return name;
  for (const BuiltIn& type : kBuiltIns) {
    if (type.oid == oid) return std::string(type.name);
  }
  return {};
}

}  // namespace rt::rtreplay
