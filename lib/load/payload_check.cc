#include "load/payload_check.h"

#include <array>
#include <cstring>

#include "base/text.h"
#include "load/json_sum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace rt {
namespace {

constexpr int kDigits = kSumsDigits / 2;

void write_numbers_sum(char* out, const Payload& payload) {
  const std::array<std::uint64_t, 3> numbers = {
      static_cast<std::uint64_t>(payload.intended_ns),
      std::uint64_t{payload.run} << 32 | payload.sequence,
      std::uint64_t{payload.phase} << 32 | payload.topic,
  };
  write_hex(out, XXH3_64bits(numbers.data(), sizeof numbers) & 0xFFFFFFFF, kDigits);
}

void write_rest_sum(char* out, std::string_view tail, std::uint64_t value_sum) {
  write_hex(out, XXH3_64bits_withSeed(tail.data(), tail.size(), value_sum) & 0xFFFFFFFF, kDigits);
}

// Takes `what` off the head, and one blank behind it: jsonb writes them after colons and commas.
bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  if (text.starts_with(' ')) text.remove_prefix(1);
  return true;
}

bool take_member(std::string_view& text, std::string_view name) {
  return take(text, ",") && take(text, name);
}

// The characters between quotes, as they stand there: none that this tool writes needs an escape.
bool take_string(std::string_view& text, std::string_view& inner) {
  if (text.empty() || text.front() != '"') return false;
  const std::size_t end = text.find('"', 1);
  if (end == text.npos) return false;
  inner = text.substr(1, end - 1);
  text.remove_prefix(end + 1);
  return true;
}

bool is_rest_intact(std::string_view text, std::string_view sum) {
  std::string_view tail;
  if (!take_member(text, "\"tail\":") || !take_string(text, tail)) return false;
  std::uint64_t value_sum = 0;
  if (take(text, ",")) {
    if (!take(text, "\"value\":")) return false;
    const auto taken = take_json_sum(text);
    if (!taken) return false;
    value_sum = *taken;
  }
  std::array<char, kDigits> expected;
  write_rest_sum(expected.data(), tail, value_sum);
  return text.starts_with('}') && std::memcmp(sum.data(), expected.data(), kDigits) == 0;
}

}  // namespace

void write_sums(char* out, const Payload& payload, std::string_view tail, std::string_view value) {
  write_numbers_sum(out, payload);
  write_rest_sum(out + kDigits, tail, value.empty() ? 0 : take_json_sum(value).value_or(0));
}

Content check_content(const Payload& payload, std::string_view rest) {
  std::string_view sums;
  if (!take_member(rest, "\"sums\":") || !take_string(rest, sums) || sums.size() != kSumsDigits) {
    return Content::unchecked;
  }
  std::array<char, kDigits> expected;
  write_numbers_sum(expected.data(), payload);
  if (std::memcmp(sums.data(), expected.data(), kDigits) != 0) return Content::mistaken;
  return is_rest_intact(rest, sums.substr(kDigits)) ? Content::intact : Content::altered;
}

bool has_sums(std::string_view text) {
  return text.find("\"sums\":") != text.npos;
}

}  // namespace rt
