#include "proto/copy_text.h"

namespace rt {

namespace {

constexpr std::string_view kNull = "\\N";

int octal_digit(char c) {
  return c >= '0' && c <= '7' ? c - '0' : -1;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Size of the first column: up to a tab that no backslash precedes.
std::size_t column_size(std::string_view rest, bool& has_escapes) {
  std::size_t i = 0;
  while (true) {
    i = rest.find_first_of("\t\\", i);
    if (i == std::string_view::npos) return rest.size();
    if (rest[i] == '\t') return i;
    has_escapes = true;
    i += 2;
    if (i >= rest.size()) return rest.size();
  }
}

// Digits of base 2^bits at raw[i], at most `digits_max`; moves i behind them. As PostgreSQL does,
// only the low eight bits of the number count.
template <int (*digit)(char)>
char escaped_byte(std::string_view raw, std::size_t& i, int digits_max, int bits) {
  int value = 0;
  for (int n = 0; n < digits_max && i < raw.size() && digit(raw[i]) >= 0; ++n, ++i) {
    value = (value << bits) | digit(raw[i]);
  }
  return static_cast<char>(value & 0xFF);
}

// The character behind a backslash at raw[i], i < raw.size(); moves i behind the escape.
char unescape_one(std::string_view raw, std::size_t& i) {
  const char c = raw[i];
  if (octal_digit(c) >= 0) return escaped_byte<octal_digit>(raw, i, 3, 3);
  ++i;
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case 'x':
      if (i < raw.size() && hex_digit(raw[i]) >= 0) return escaped_byte<hex_digit>(raw, i, 2, 4);
      return 'x';
    default:
      return c;
  }
}

void append_unescaped(std::string& out, std::string_view raw) {
  std::size_t i = 0;
  while (i < raw.size()) {
    const std::size_t escape = raw.find('\\', i);
    out.append(raw.substr(i, escape - i));
    if (escape == std::string_view::npos) return;
    i = escape + 1;
    if (i < raw.size()) out.push_back(unescape_one(raw, i));
  }
}

// Splits the first column off `rest`, still escaped. False: it was the last.
bool split_column(std::string_view& rest, std::string_view& raw, bool& has_escapes) {
  has_escapes = false;
  const std::size_t size = column_size(rest, has_escapes);
  raw = rest.substr(0, size);
  if (size == rest.size()) return false;
  rest.remove_prefix(size + 1);
  return true;
}

}  // namespace

bool CopyLineReader::next(CopyColumn& column, std::string& scratch) {
  if (done_) return false;
  std::string_view raw;
  bool has_escapes = false;
  done_ = !split_column(rest_, raw, has_escapes);
  column = {raw == kNull, raw};
  if (column.is_null) {
    column.text = {};
  } else if (has_escapes) {
    scratch.clear();
    append_unescaped(scratch, raw);
    column.text = scratch;
  }
  return true;
}

void append_copy_text(std::string& out, std::string_view text) {
  constexpr std::string_view kSpecial = "\\\b\f\n\r\t\v";
  constexpr std::string_view kLetter = "\\bfnrtv";
  std::size_t i = 0;
  while (true) {
    const std::size_t special = text.find_first_of(kSpecial, i);
    out.append(text.substr(i, special - i));
    if (special == std::string_view::npos) return;
    out.push_back('\\');
    out.push_back(kLetter[kSpecial.find(text[special])]);
    i = special + 1;
  }
}

void append_copy_null(std::string& out) {
  out.append(kNull);
}

bool copy_text_to_tuple(std::string_view line, std::string& out_tuple) {
  const std::size_t start = out_tuple.size();
  append_big_endian(out_tuple, std::uint16_t{0});
  std::uint16_t count = 0;
  bool more = true;
  while (more) {
    if (count == pgoutput::kMaxColumns) return out_tuple.resize(start), false;
    std::string_view raw;
    bool has_escapes = false;
    more = split_column(line, raw, has_escapes);
    ++count;
    if (raw == kNull) {
      out_tuple.push_back('n');
      continue;
    }
    out_tuple.push_back('t');
    const std::size_t size_at = out_tuple.size();
    append_big_endian(out_tuple, std::uint32_t{0});
    if (has_escapes) {
      append_unescaped(out_tuple, raw);
    } else {
      out_tuple.append(raw);
    }
    store_big_endian(out_tuple.data() + size_at,
                     static_cast<std::uint32_t>(out_tuple.size() - size_at - 4));
  }
  store_big_endian(out_tuple.data() + start, count);
  return true;
}

bool tuple_to_copy_text(pgoutput::TupleView row, std::string& out_line) {
  const std::size_t start = out_line.size();
  bool first = true;
  for (const pgoutput::Value value : row) {
    if (!first) out_line.push_back('\t');
    first = false;
    if (value.kind == pgoutput::ValueKind::null) {
      append_copy_null(out_line);
    } else if (value.kind == pgoutput::ValueKind::text) {
      append_copy_text(out_line, value.bytes);
    } else {
      out_line.resize(start);
      return false;
    }
  }
  return true;
}

}  // namespace rt
