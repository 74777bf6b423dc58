#include "base/text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <utility>

namespace rt {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";
constexpr char kHexLower[] =
    "0123456789abcdef";  // of \u00XX, as PostgreSQL and JavaScript write it
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

struct Utf8Step {
  std::size_t bytes;  // consumed, at least 1
  bool valid;
};

// One code point, or one maximal ill-formed subpart, at the head of `s` (not empty).
Utf8Step utf8_step(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return {1, true};
  std::size_t more = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    more = 1;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    more = 2;
    if (lead == 0xE0) low = 0xA0;   // overlong
    if (lead == 0xED) high = 0x9F;  // surrogates
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    more = 3;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;  // above U+10FFFF
  } else {
    return {1, false};
  }
  for (std::size_t i = 1; i <= more; ++i) {
    if (i >= s.size() || at(i) < low || at(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {more + 1, true};
}

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`, whatever the
// case.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                           lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

}  // namespace

void write_hex(char* out, std::uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = kHex[value & 0xF];
    value >>= 4;
  }
}

std::optional<std::uint64_t> parse_hex(std::string_view text) {
  if (text.empty() || text.size() > 16) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const char l = lower(c);
    std::uint64_t digit = 0;
    if (l >= '0' && l <= '9') {
      digit = static_cast<std::uint64_t>(l - '0');
    } else if (l >= 'a' && l <= 'f') {
      digit = static_cast<std::uint64_t>(l - 'a') + 10;
    } else {
      return std::nullopt;
    }
    value = value << 4 | digit;
  }
  return value;
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  if (text.empty() || text.front() == '-' || text.front() == '+') return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void append_decimal(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  (void)error;  // 20 digits hold every uint64
  out.append(digits.data(), end);
}

namespace {

// Eight bytes at a time. In each of them the high bit says that the byte is wanted; only the lowest
// of those is certain ("Bit Twiddling Hacks", determine if a word has a byte less than n).
constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighBits = 0x8080808080808080;

std::uint64_t eight_bytes(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}
constexpr std::uint64_t bytes_below(std::uint64_t word, std::uint64_t limit) {
  return (word - kOnes * limit) & ~word & kHighBits;
}
constexpr std::uint64_t bytes_equal(std::uint64_t word, char wanted) {
  return bytes_below(word ^ (kOnes * static_cast<unsigned char>(wanted)), 1);
}

std::size_t ascii_end(std::string_view text, std::size_t at) {
  while (at + 8 <= text.size() && (eight_bytes(text.data() + at) & kHighBits) == 0) at += 8;
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

// The next byte that does not stand for itself in a JSON string, or is not ASCII.
std::size_t json_plain_end(std::string_view text, std::size_t at) {
  if constexpr (std::endian::native == std::endian::little) {
    for (; at + 8 <= text.size(); at += 8) {
      const std::uint64_t word = eight_bytes(text.data() + at);
      const std::uint64_t found = (word & kHighBits) | bytes_below(word, 0x20) |
                                  bytes_equal(word, '"') | bytes_equal(word, '\\');
      if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
  }
  const auto is_plain = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
  };
  while (at < text.size() && is_plain(text[at])) ++at;
  return at;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  std::size_t at = ascii_end(text, 0);
  while (at < text.size()) {
    const Utf8Step step = utf8_step(text.substr(at));
    if (!step.valid) return false;
    at = ascii_end(text, at + step.bytes);
  }
  return true;
}

void append_utf8_repaired(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    out.append(step.valid ? text.substr(0, step.bytes) : kReplacement);
    text.remove_prefix(step.bytes);
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t plain = 0;  // start of the run not yet copied
  std::size_t i = 0;
  const auto flush = [&] { out.append(text.substr(plain, i - plain)); };
  while ((i = json_plain_end(text, i)) < text.size()) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) {
      const Utf8Step step = utf8_step(text.substr(i));
      if (!step.valid) {
        flush();
        out.append(kReplacement);
        plain = i + step.bytes;
      }
      i += step.bytes;
      continue;
    }
    flush();
    plain = ++i;
    switch (c) {
      case '"':
        out.append("\\\"");
        break;
      case '\\':
        out.append("\\\\");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\r':
        out.append("\\r");
        break;
      case '\t':
        out.append("\\t");
        break;
      case '\b':
        out.append("\\b");
        break;
      case '\f':
        out.append("\\f");
        break;
      default:
        out.append("\\u00");
        out.push_back(kHexLower[c >> 4]);
        out.push_back(kHexLower[c & 0xF]);
    }
  }
  flush();
  out.push_back('"');
}

void append_markup_text(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
}

void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t group = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (j < group ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out.push_back(j <= group ? kAlphabet[bits >> (18 - 6 * j) & 63] : '=');
    }
  }
}

std::string lsn_text(std::uint64_t lsn) {
  std::array<char, 18> out{};
  auto [slash, e1] = std::to_chars(out.data(), out.data() + 8, lsn >> 32, 16);
  *slash++ = '/';
  auto [end, e2] = std::to_chars(slash, slash + 8, lsn & 0xFFFFFFFF, 16);
  (void)e1;
  (void)e2;
  std::string text(out.data(), end);
  for (char& c : text) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - ('a' - 'A')) : c;
  return text;
}

std::optional<std::uint64_t> parse_lsn(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view high_text = text.substr(0, slash);
  const std::string_view low_text = text.substr(slash + 1);
  if (high_text.size() > 8 || low_text.size() > 8) return std::nullopt;
  const auto high = parse_hex(high_text);
  const auto low = parse_hex(low_text);
  if (!high || !low) return std::nullopt;
  return *high << 32 | *low;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace rt
