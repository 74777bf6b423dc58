// Column values as text for lines of output.
#pragma once

#include <string>
#include <string_view>

#include "proto/pgoutput_tuple.h"

namespace rt::rtreplay {

// Stands for itself between the quotes of a JSON string.
bool is_plain_ascii(std::string_view text);
// null, a JSON string, or {"base64":"..."} for bytes that are no UTF-8 text. Not for unchanged
// values.
void append_value_json(std::string& out, const pgoutput::Value& value);
// For people: NULL, 'text' with control characters escaped, "(unchanged)".
void append_value_text(std::string& out, const pgoutput::Value& value);

}  // namespace rt::rtreplay
