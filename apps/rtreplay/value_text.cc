#include "rtreplay/value_text.h"

#include "base/text.h"

namespace rt::rtreplay {
namespace {

bool is_plain_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<signed char>(c) < 0x20 || c == '"' || c == '\\') return false;
  }
  return true;
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= group.size() ? kAlphabet[(bits >> (18 - 6 * k)) & 63] : '=';
    }
  }
}

void append_value_json(std::string& out, const pgoutput::Value& value) {
  if (value.kind == pgoutput::ValueKind::null) {
    out += "null";
  } else if (is_plain_ascii(value.bytes) && value.kind == pgoutput::ValueKind::text) {
    out += '"';
    out += value.bytes;
    out += '"';
  } else if (value.kind == pgoutput::ValueKind::text && is_valid_utf8(value.bytes)) {
    append_json_string(out, value.bytes);
  } else {
    out += "{\"base64\":\"";
    append_base64(out, value.bytes);
    out += "\"}";
  }
}

void append_value_text(std::string& out, const pgoutput::Value& value) {
  switch (value.kind) {
    case pgoutput::ValueKind::null:
      out += "NULL";
      return;
    case pgoutput::ValueKind::unchanged:
      out += "(unchanged)";
      return;
    case pgoutput::ValueKind::binary:
      out += "base64:";
      append_base64(out, value.bytes);
      return;
    case pgoutput::ValueKind::text:
      break;
  }
  if (is_plain_ascii(value.bytes) && !value.bytes.empty() &&
      value.bytes.find(' ') == std::string_view::npos) {
    out += value.bytes;
  } else {
    append_json_string(out, value.bytes);
  }
}

}  // namespace rt::rtreplay
