#include "rtreplay/value_text.h"

#include <cstdint>
#include <cstring>

#include "base/text.h"
#include "pipe/bytes_json.h"

namespace rt::rtreplay {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighBits = 0x8080808080808080;

// The high bit of a byte is set if the byte is not ASCII, below a space, a quote or a backslash.
// (Subtracting borrows only out of a byte that is found itself.)
std::uint64_t not_plain(std::uint64_t word) {
  const auto equal = [word](char c) {
    const std::uint64_t other = word ^ (kOnes * static_cast<unsigned char>(c));
    return (other - kOnes) & ~other;
  };
  const std::uint64_t below = (word - kOnes * 0x20) & ~word;
  return (word | below | equal('"') | equal('\\')) & kHighBits;
}

}  // namespace

bool is_plain_ascii(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    if (not_plain(word) != 0) return false;
  }
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (static_cast<signed char>(c) < 0x20 || c == '"' || c == '\\') return false;
  }
  return true;
}

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
