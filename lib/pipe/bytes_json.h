// Bytes that are text as a rule, as a JSON value. Pure.
#pragma once

#include <string>
#include <string_view>

namespace rt {

// Appends a JSON string, or {"base64":"..."} for bytes that are not UTF-8: nothing is lost.
void append_bytes_json(std::string& out, std::string_view bytes);

}  // namespace rt
