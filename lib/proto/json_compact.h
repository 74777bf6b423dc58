// JSON text made to fit on one line, without touching anything that carries meaning.
// Sans-IO, no state: thread-safe. Source: RFC 8259.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rt {

// Deeper values are refused, so that the check needs no heap. PostgreSQL's own stack limit stops
// its json type at about 6,000 levels; 2,048 is beyond what clients parse (JavaScript engines and
// nlohmann vary).
inline constexpr std::size_t kJsonDepthMax = 2'048;

// Appends `text` without the white space between its tokens. Numbers keep their spelling, objects
// their order and their duplicate keys, strings their escapes; bytes that are not UTF-8 become
// U+FFFD. False, and nothing appended, if text is not one JSON value or nests deeper than
// kJsonDepthMax.
bool append_compact_json(std::string& out, std::string_view text);

// A number as RFC 8259 section 6 spells it, and nothing else.
bool is_json_number(std::string_view text);

}  // namespace rt
