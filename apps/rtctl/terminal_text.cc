#include "rtctl/terminal_text.h"

#include <fmt/format.h>

namespace rt::rtctl {
namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Bytes of the first `max` characters.
std::size_t head_bytes(std::string_view text, std::size_t max) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (continues(text[at])) continue;
    if (max == 0) break;
    --max;
  }
  return at;
}

std::size_t count_characters(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) n += continues(c) ? 0u : 1u;
  return n;
}

}  // namespace

void append_visible(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n') {
      out.append("\\n");
    } else if (byte == '\t') {
      out.append("\\t");
    } else if (byte == '\r') {
      out.append("\\r");
    } else if (byte < 0x20 || byte == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else if (byte == 0xC2 && i + 1 < text.size() &&
               static_cast<unsigned char>(text[i + 1]) < 0xA0) {  // C1: some terminals obey them
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(text[++i]));
    } else {
      out.push_back(text[i]);
    }
  }
}

void append_folded(std::string& out, std::string_view text, std::size_t max) {
  const std::size_t head = head_bytes(text, max);
  append_visible(out, text.substr(0, head));
  if (head == text.size()) return;
  fmt::format_to(std::back_inserter(out), "\u2026 (+{})", count_characters(text.substr(head)));
}

}  // namespace rt::rtctl
