#include "proto/json_compact.h"

#include <bitset>

#include "base/text.h"

namespace rt {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Size of the digits at the head of text.
std::size_t digits(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  return n;
}

// Size of the number at the head of text, 0 if there is none.
std::size_t number_size(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t whole = digits(text.substr(at));
  if (whole == 0 || (whole > 1 && text[at] == '0')) return 0;
  at += whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = digits(text.substr(at + 1));
    if (fraction == 0) return 0;
    at += 1 + fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = digits(text.substr(at));
    if (exponent == 0) return 0;
    at += exponent;
  }
  return at;
}

// Size of the escape sequence at the head of text, which is a backslash; 0 if it is none.
std::size_t escape_size(std::string_view text) {
  if (text.size() < 2) return 0;
  if (std::string_view("\"\\/bfnrt").find(text[1]) != std::string_view::npos) return 2;
  if (text[1] != 'u' || text.size() < 6) return 0;
  for (std::size_t i = 2; i < 6; ++i) {
    if (!is_hex(text[i])) return 0;
  }
  return 6;
}

// Size of the string at the head of text, quotes included; 0 if there is none.
std::size_t string_size(std::string_view text, bool& is_ascii) {
  is_ascii = true;
  if (!text.starts_with('"')) return 0;
  std::size_t at = 1;
  while (at < text.size()) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c == '"') return at + 1;
    if (c < 0x20) return 0;
    if (c >= 0x80) is_ascii = false;
    const std::size_t size = c == '\\' ? escape_size(text.substr(at)) : 1;
    if (size == 0) return 0;
    at += size;
  }
  return 0;
}

std::size_t word_size(std::string_view text) {
  for (const std::string_view word : {"true", "false", "null"}) {
    if (text.starts_with(word)) return word.size();
  }
  return 0;
}

// One pass over the tokens, with one bit a level for "this is an object".
class Compactor {
 public:
  Compactor(std::string& out, std::string_view text) : out_(out), rest_(text) {}

  bool run() {
    while (skip_spaces(), !rest_.empty()) {
      if (!token()) return false;
    }
    return expect_ == Expect::nothing;
  }

 private:
  enum class Expect { value, value_or_close, key, key_or_close, colon, comma_or_close, nothing };

  void skip_spaces() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }

  bool token() {
    const char c = rest_.front();
    switch (expect_) {
      case Expect::value_or_close:
        if (c == ']') return close();
        [[fallthrough]];
      case Expect::value:
        return c == '{' || c == '[' ? open(c == '{') : scalar();
      case Expect::key_or_close:
        if (c == '}') return close();
        [[fallthrough]];
      case Expect::key:
        return string(Expect::colon);
      case Expect::colon:
        return c == ':' && take(1, Expect::value);
      case Expect::comma_or_close: {
        const bool in_object = is_object_[depth_ - 1];
        if (c == (in_object ? '}' : ']')) return close();
        return c == ',' && take(1, in_object ? Expect::key : Expect::value);
      }
      case Expect::nothing:
        return false;
    }
    return false;
  }

  bool open(bool object) {
    if (depth_ == kJsonDepthMax) return false;
    is_object_[depth_++] = object;
    return take(1, object ? Expect::key_or_close : Expect::value_or_close);
  }
  bool close() {
    --depth_;
    return take(1, after_value());
  }
  bool scalar() {
    if (rest_.front() == '"') return string(after_value());
    const std::size_t number = number_size(rest_);
    return take(number > 0 ? number : word_size(rest_), after_value());
  }
  bool string(Expect then) {
    bool is_ascii = true;
    const std::size_t size = string_size(rest_, is_ascii);
    if (is_ascii || size == 0) return take(size, then);
    append_utf8_repaired(out_, rest_.substr(0, size));
    rest_.remove_prefix(size);
    expect_ = then;
    return true;
  }
  bool take(std::size_t size, Expect then) {
    out_.append(rest_.substr(0, size));
    rest_.remove_prefix(size);
    expect_ = then;
    return size > 0;
  }
  Expect after_value() const { return depth_ == 0 ? Expect::nothing : Expect::comma_or_close; }

  std::string& out_;
  std::string_view rest_;
  std::bitset<kJsonDepthMax> is_object_;
  std::size_t depth_ = 0;
  Expect expect_ = Expect::value;
};

}  // namespace

bool append_compact_json(std::string& out, std::string_view text) {
  const std::size_t start = out.size();
  if (Compactor(out, text).run()) return true;
  out.resize(start);
  return false;
}

bool is_json_number(std::string_view text) {
  return !text.empty() && number_size(text) == text.size();
}

}  // namespace rt
