// Reading the fields of one JSON object, each failure named. Throws inside a parser of lines; the
// parser's entry turns that into a Result. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>

namespace rt::rtreplay {

struct BadLine : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using Json = nlohmann::ordered_json;

const Json& field(const Json& object, const char* name);
bool flag_of(const Json& object, const char* name);
std::int64_t number_of(const Json& object, const char* name, std::int64_t otherwise);
std::int64_t number_of(const Json& object, const char* name);
std::uint32_t oid_of(const Json& object, const char* name);
// Bytes: a string, or {"base64":"..."}.
std::string bytes_of(const Json& object, const char* name);
std::string bytes_in(const Json& value);
// The same without NUL, which ends names in PostgreSQL's protocol.
std::string name_of(const Json& object, const char* name);
// "0/1A2B"; 0 if it is absent and need not be there.
std::uint64_t lsn_of(const Json& object, const char* name, bool required);
std::int64_t time_us_of(const Json& object, const char* name);

}  // namespace rt::rtreplay
