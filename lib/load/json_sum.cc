#include "load/json_sum.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string>

#include "base/random.h"

namespace rt {
namespace {

constexpr std::int64_t kPowerMax = 1'000'000'000;  // of ten; far beyond what any database holds
constexpr int kDepthMax = 64;                      // of recursion; nobody nests a payload that deep

std::uint64_t mixed(std::uint64_t value) {
  return Random(value).next();
}

// FNV-1a, with a seed for the kind of value.
class Bytes {
 public:
  explicit Bytes(char kind) { add(kind); }
  void add(char c) { hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ull; }
  void add(std::string_view text) {
    for (const char c : text) add(c);
  }
  void add_code_point(std::uint32_t code) {
    const auto follow = [&](int shift) { add(static_cast<char>(0x80 | ((code >> shift) & 0x3F))); };
    if (code < 0x80) {
      add(static_cast<char>(code));
    } else if (code < 0x800) {
      add(static_cast<char>(0xC0 | (code >> 6)));
      follow(0);
    } else if (code < 0x10000) {
      add(static_cast<char>(0xE0 | (code >> 12)));
      follow(6);
      follow(0);
    } else {
      add(static_cast<char>(0xF0 | (code >> 18)));
      follow(12);
      follow(6);
      follow(0);
    }
  }
  std::uint64_t sum() const { return mixed(hash_); }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325ull;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  std::string_view rest() const { return rest_; }

  std::optional<std::uint64_t> value(int depth) {
    skip_blanks();
    if (rest_.empty() || depth > kDepthMax) return std::nullopt;
    switch (rest_.front()) {
      case '"':
        return string();
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      default:
        return scalar();
    }
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && std::string_view(" \t\n\r").find(rest_.front()) != rest_.npos) {
      rest_.remove_prefix(1);
    }
  }
  bool take(char c) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::uint64_t> string() {
    if (!take('"')) return std::nullopt;
    Bytes bytes('"');
    for (;;) {
      if (rest_.empty()) return std::nullopt;
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return bytes.sum();
      if (c != '\\') {
        bytes.add(c);
      } else if (!escape(bytes)) {
        return std::nullopt;
      }
    }
  }

  // What follows a backslash.
  bool escape(Bytes& bytes) {
    if (rest_.empty()) return false;
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    const char name = rest_.front();
    rest_.remove_prefix(1);
    if (const std::size_t at = kNames.find(name); at != kNames.npos) {
      bytes.add(kMeant[at]);
      return true;
    }
    std::uint32_t code = 0;
    if (name != 'u' || !take_unit(code)) return false;
    if (code >= 0xD800 && code < 0xDC00 && rest_.starts_with("\\u")) {  // the first of a pair
      rest_.remove_prefix(2);
      std::uint32_t low = 0;
      if (!take_unit(low)) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + ((low - 0xDC00) & 0x3FF);
    }
    bytes.add_code_point(code);
    return true;
  }

  bool take_unit(std::uint32_t& unit) {
    if (rest_.size() < 4) return false;
    const char* const end = rest_.data() + 4;
    if (std::from_chars(rest_.data(), end, unit, 16).ptr != end) return false;
    rest_.remove_prefix(4);
    return true;
  }

  std::optional<std::uint64_t> array(int depth) {
    take('[');
    std::uint64_t sum = '[';
    if (take(']')) return mixed(sum);
    for (;;) {
      const auto item = value(depth + 1);
      if (!item) return std::nullopt;
      sum = mixed(sum ^ *item);
      if (take(']')) return sum;
      if (!take(',')) return std::nullopt;
    }
  }

  std::optional<std::uint64_t> object(int depth) {
    take('{');
    std::uint64_t sum = '{';
    if (take('}')) return mixed(sum);
    for (;;) {
      skip_blanks();
      const auto name = string();
      if (!name || !take(':')) return std::nullopt;
      const auto item = value(depth + 1);
      if (!item) return std::nullopt;
      sum += mixed(mixed(*name) ^ *item);  // whatever the order
      if (take('}')) return mixed(sum);
      if (!take(',')) return std::nullopt;
    }
  }

  std::optional<std::uint64_t> scalar() {
    const std::size_t size = std::min(rest_.find_first_of(" \t\n\r,]}"), rest_.size());
    const std::string_view text = rest_.substr(0, size);
    if (text.empty()) return std::nullopt;
    rest_.remove_prefix(size);
    Bytes bytes('0');
    const bool is_number = text.front() == '-' || is_digit(text.front());
    if (!is_number || !add_number(text, bytes)) bytes.add(text);
    return bytes.sum();
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  // However it is spelled: its digits without zeros at either end, and the power of ten of the
  // last.
  static bool add_number(std::string_view text, Bytes& bytes) {
    const bool is_negative = text.starts_with('-');
    if (is_negative) text.remove_prefix(1);
    const std::size_t mark = std::min(text.find_first_of("eE"), text.size());
    std::int64_t power = 0;
    if (mark < text.size()) {
      std::string_view exponent = text.substr(mark + 1);
      if (exponent.starts_with('+')) exponent.remove_prefix(1);
      const char* const end = exponent.data() + exponent.size();
      if (std::from_chars(exponent.data(), end, power).ptr != end || exponent.empty()) return false;
      if (std::abs(power) > kPowerMax) return false;
    }
    std::string digits;
    for (std::size_t at = 0; at < mark; ++at) {
      if (text[at] == '.') {
        power -= static_cast<std::int64_t>(mark - at - 1);
      } else if (!is_digit(text[at])) {
        return false;
      } else if (!digits.empty() || text[at] != '0') {
        digits += text[at];
      }
    }
    while (!digits.empty() && digits.back() == '0') {
      digits.pop_back();
      ++power;
    }
    if (digits.empty()) {
      bytes.add('0');
      return true;
    }
    if (is_negative) bytes.add('-');
    bytes.add(digits);
    bytes.add('e');
    std::array<char, 24> text_of_power{};
    const auto written =
        std::to_chars(text_of_power.data(), text_of_power.data() + text_of_power.size(), power);
    bytes.add({text_of_power.data(), written.ptr});
    return true;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::uint64_t> take_json_sum(std::string_view& text) {
  Reader reader(text);
  const auto sum = reader.value(0);
  text = reader.rest();
  return sum;
}

}  // namespace rt
