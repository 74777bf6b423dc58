// A PostgreSQL value in text form as JSON, the same as the server's to_json() makes of it. The text
// must come from a session with datestyle ISO and extra_float_digits of at least 1 (the sources
// here pin both); the time zone offset is kept as it stands. Differences: json and jsonb lose the
// white space between tokens, so that a value fits on one line; types made by users (also
// composites, which to_json() turns into objects) are strings. Sans-IO, no state: thread-safe.
// Source: PostgreSQL 15, json.c and section 9.16.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rt {

// Appends the JSON value of `text`, the output of type `type_oid` (of a domain: its base type, see
// pgoutput::CachedColumn::base_oid). Text that is not what the type writes becomes a JSON string,
// so the result is always one valid JSON value in valid UTF-8 without a newline. NULL is the
// caller's.
void append_json_value(std::string& out, std::uint32_t type_oid, std::string_view text);

}  // namespace rt
