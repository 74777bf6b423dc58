// Text without locale: hex, decimal, JSON strings, UTF-8 repair, suggestions for misspelt words.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rt {

// `digits` upper-case hex digits of value, most significant first.
void write_hex(char* out, std::uint64_t value, int digits);
// 1 to 16 hex digits and nothing else.
std::optional<std::uint64_t> parse_hex(std::string_view text);
// Decimal digits only: no sign, no space, no overflow.
std::optional<std::uint64_t> parse_decimal(std::string_view text);
void append_decimal(std::string& out, std::uint64_t value);

// Appends `text` as a JSON string with quotes (RFC 8259 section 7). Only what must be escaped is:
// quote, backslash, controls below U+0020. Bytes that are not UTF-8 become U+FFFD. No HTML escaping
// (D-11).
void append_json_string(std::string& out, std::string_view text);

bool is_valid_utf8(std::string_view text);
// Appends text; each maximal ill-formed subpart becomes one U+FFFD (Unicode 15, section 3.9).
void append_utf8_repaired(std::string& out, std::string_view text);

// Text between tags of HTML or XML, or in a quoted attribute (XML 1.0 section 2.4).
void append_markup_text(std::string& out, std::string_view text);

// RFC 4648 section 4, with padding.
void append_base64(std::string& out, std::string_view bytes);

// PostgreSQL's spelling of an LSN: "16/B374D848".
std::string lsn_text(std::uint64_t lsn);
std::optional<std::uint64_t> parse_lsn(std::string_view text);

bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII
std::string_view trim(std::string_view text);                      // ASCII space and tab, CR, LF
std::vector<std::string_view> split(std::string_view text, char separator);

// The candidate nearest to `word`, if any: at most a third of its length (but one) in insertions,
// deletions, replacements and swaps of neighbours.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

}  // namespace rt
