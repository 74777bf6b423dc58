#include "rtreplay/json_fields.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/text.h"
#include "base/units.h"

namespace rt::rtreplay {

const Json& field(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) throw BadLine(fmt::format("\"{}\" is missing", name));
  return *found;
}

bool flag_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::int64_t number_of(const Json& object, const char* name) {
  const Json& value = field(object, name);
  if (!value.is_number_integer()) throw BadLine(fmt::format("\"{}\" is no whole number", name));
  return value.get<std::int64_t>();
}

std::int64_t number_of(const Json& object, const char* name, std::int64_t otherwise) {
  return object.contains(name) ? number_of(object, name) : otherwise;
}

std::uint32_t oid_of(const Json& object, const char* name) {
  const std::int64_t value = number_of(object, name);
  if (value < 0 || value > std::numeric_limits<std::uint32_t>::max()) {
    throw BadLine(fmt::format("\"{}\" is out of range", name));
  }
  return static_cast<std::uint32_t>(value);
}

std::string bytes_in(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("base64") && value["base64"].is_string()) {
    auto bytes = decode_base64(value["base64"].get_ref<const std::string&>());
    if (bytes) return std::move(*bytes);
  }
  throw BadLine(R"(a value is neither a string nor {"base64":"..."})");
}

std::string bytes_of(const Json& object, const char* name) {
  return bytes_in(field(object, name));
}

std::string name_of(const Json& object, const char* name) {
  std::string text = bytes_of(object, name);
  if (text.find('\0') != std::string::npos) throw BadLine(fmt::format("\"{}\" holds NUL", name));
  return text;
}

std::uint64_t lsn_of(const Json& object, const char* name, bool required) {
  if (!required && !object.contains(name)) return 0;
  const Json& value = field(object, name);
  const auto lsn =
      value.is_string() ? parse_lsn(value.get_ref<const std::string&>()) : std::nullopt;
  if (!lsn) throw BadLine(fmt::format("\"{}\" is no LSN", name));
  return *lsn;
}

std::int64_t time_us_of(const Json& object, const char* name) {
  const Json& value = field(object, name);
  if (value.is_string()) {
    if (const auto time = parse_rfc3339(value.get_ref<const std::string&>())) {
      return unix_us(*time);
    }
  }
  throw BadLine(fmt::format("\"{}\" is no time", name));
}

}  // namespace rt::rtreplay
