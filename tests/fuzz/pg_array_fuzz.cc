// Any text as any value: JSON always comes out valid and on one line, and an array of texts reads
// back.
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/text.h"
#include "proto/json_compact.h"
#include "proto/pg_array.h"
#include "proto/pg_json.h"
#include "proto/pg_types.h"

namespace {

void check_array(const std::string& text) {
  const auto elements = rt::parse_text_array(text);
  if (!elements) return;
  std::string again = "{";
  for (const std::string& element : *elements) {
    if (again.size() > 1) again.push_back(',');
    rt::append_array_element(again, element);
  }
  again.push_back('}');
  if (rt::parse_text_array(again) != elements) std::abort();
}

void check_json(std::uint32_t type_oid, const std::string& text) {
  std::string json;
  rt::append_json_value(json, type_oid, text);
  if (json.find('\n') != std::string::npos || !rt::is_valid_utf8(json)) std::abort();
  std::string compact;
  if (!rt::append_compact_json(compact, json)) std::abort();
  // The other parser refuses numbers beyond a double, which JSON allows.
  const bool may_overflow = json.size() > 300 || json.find_first_of("eE") != std::string::npos;
  if (!may_overflow && !nlohmann::json::accept(json)) std::abort();
}

}  // namespace

// The first byte chooses the type.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace rt::pg_type;
  constexpr std::array<std::uint32_t, 12> kTypes = {kBool,
                                                    kInt8,
                                                    kNumeric,
                                                    kText,
                                                    kJson,
                                                    kTimestamptz,
                                                    oid_of("_bool"),
                                                    oid_of("_int4"),
                                                    oid_of("_text"),
                                                    oid_of("_json"),
                                                    oid_of("_timestamp"),
                                                    oid_of("_box")};
  if (size == 0) return 0;
  const std::string text(bytes + 1, bytes + size);
  check_json(kTypes[bytes[0] % kTypes.size()], text);
  check_array(text);
  return 0;
}
