// Base64 back to bytes (RFC 4648 section 4); append_base64() in base/text.h is the other way. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rt {

// Nothing if the text is not padded base64 and nothing else.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace rt
