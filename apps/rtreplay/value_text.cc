#include "rtreplay/value_text.h"

#include "base/text.h"
#include "pipe/bytes_json.h"

namespace rt::rtreplay {
namespace {

bool is_plain_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<signed char>(c) < 0x20 || c == '"' || c == '\\') return false;
  }
  return true;
}

}  // namespace

void append_value_json(std::string& out, const pgoutput::Value& value) {
  if (value.kind == pgoutput::ValueKind::null) {
    out += "null";
  } else if (is_plain_ascii(value.bytes) && value.kind == pgoutput::ValueKind::text) {
    out += '"';
    out += value.bytes;
    out += '"';
  } else if (value.kind == pgoutput::ValueKind::text) {
    append_bytes_json(out, value.bytes);
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
