#include "proto/pg_array.h"

#include "base/text.h"

namespace rt {

namespace {

// array_isspace() of PostgreSQL.
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

ArrayReader::ArrayReader(std::string_view text, std::string& scratch, char delimiter)
    : text_(text), scratch_(scratch), delimiter_(delimiter) {
  if (!skip_bounds()) expect_ = Expect::failed;
}

ArrayReader::Step ArrayReader::next() {
  if (expect_ == Expect::failed) return Step::bad;
  skip_spaces();
  if (expect_ == Expect::nothing) return at_ == text_.size() ? Step::end : fail();
  if (at_ == text_.size()) return fail();
  if (expect_ == Expect::separator && text_[at_] == delimiter_) {
    expect_ = Expect::item;
    ++at_;
    skip_spaces();
    if (at_ == text_.size()) return fail();
  }
  const char c = text_[at_];
  if (c == '}') return close();
  if (expect_ == Expect::separator) return fail();
  if (c == '{') return open();
  return element();
}

ArrayReader::Step ArrayReader::fail() {
  expect_ = Expect::failed;
  return Step::bad;
}

ArrayReader::Step ArrayReader::open() {
  if (depth_ == kDepthMax) return fail();
  ++at_;
  ++depth_;
  expect_ = Expect::first;
  return Step::open;
}

ArrayReader::Step ArrayReader::close() {
  if (expect_ != Expect::first && expect_ != Expect::separator) return fail();
  ++at_;
  --depth_;
  expect_ = depth_ == 0 ? Expect::nothing : Expect::separator;
  return Step::close;
}

ArrayReader::Step ArrayReader::element() {
  if (depth_ == 0) return fail();
  const bool good = text_[at_] == '"' ? quoted_element() : bare_element();
  if (!good) return fail();
  expect_ = Expect::separator;
  return Step::element;
}

bool ArrayReader::quoted_element() {
  const std::size_t start = ++at_;
  bool escaped = false;
  while (true) {
    const std::size_t stop = text_.find_first_of("\"\\", at_);
    if (stop == std::string_view::npos) return false;
    if (text_[stop] == '"') {
      element_ = escaped ? std::string_view(scratch_.append(text_.substr(at_, stop - at_)))
                         : text_.substr(start, stop - start);
      at_ = stop + 1;
      is_null_ = false;
      return true;
    }
    if (stop + 1 == text_.size()) return false;
    if (!escaped) scratch_.clear();
    escaped = true;
    scratch_.append(text_.substr(at_, stop - at_)).push_back(text_[stop + 1]);
    at_ = stop + 2;
  }
}

bool ArrayReader::bare_element() {
  const char stops[] = {delimiter_, '{', '}', '"', '\\'};
  const std::size_t start = at_;
  bool escaped = false;
  std::size_t size_kept = 0;  // of scratch_: escaped spaces at the end stay, others go
  while (true) {
    const std::size_t stop = text_.find_first_of(std::string_view(stops, sizeof stops), at_);
    if (stop == std::string_view::npos) return false;
    const char c = text_[stop];
    if (c == '"' || c == '{') return false;
    if (c == '\\') {
      if (stop + 1 == text_.size()) return false;
      if (!escaped) scratch_.clear();
      escaped = true;
      scratch_.append(text_.substr(at_, stop - at_)).push_back(text_[stop + 1]);
      size_kept = scratch_.size();
      at_ = stop + 2;
      continue;
    }
    if (escaped) scratch_.append(text_.substr(at_, stop - at_));
    element_ = escaped ? std::string_view(scratch_) : text_.substr(start, stop - start);
    while (element_.size() > size_kept && is_space(element_.back())) element_.remove_suffix(1);
    at_ = stop;
    is_null_ = !escaped && equal_ignoring_case(element_, "NULL");
    return escaped || !element_.empty();
  }
}

void ArrayReader::skip_spaces() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

// "[2:3][-1:0]=" in front of the braces: where counting starts, of no interest here.
bool ArrayReader::skip_bounds() {
  skip_spaces();
  if (at_ == text_.size() || text_[at_] != '[') return true;
  const auto skip_number = [this] {
    if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) ++at_;
    const std::size_t start = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > start;
  };
  const auto skip_one = [this](char wanted) {
    return at_ < text_.size() && text_[at_++] == wanted;
  };
  while (at_ < text_.size() && text_[at_] == '[') {
    ++at_;
    if (!skip_number()) return false;
    if (at_ < text_.size() && text_[at_] == ':' && (++at_, !skip_number())) return false;
    if (!skip_one(']')) return false;
  }
  return skip_one('=');
}

std::optional<std::vector<std::string>> parse_text_array(std::string_view text) {
  std::vector<std::string> elements;
  std::string scratch;
  ArrayReader reader(text, scratch);
  while (true) {
    switch (reader.next()) {
      case ArrayReader::Step::element:
        if (!reader.is_null()) elements.emplace_back(reader.text());
        break;
      case ArrayReader::Step::end:
        return elements;
      case ArrayReader::Step::bad:
        return std::nullopt;
      case ArrayReader::Step::open:
      case ArrayReader::Step::close:
        break;
    }
  }
}

bool text_array_contains(std::string_view text, std::string_view wanted, std::string& scratch) {
  ArrayReader reader(text, scratch);
  bool found = false;
  while (true) {
    const ArrayReader::Step step = reader.next();
    if (step == ArrayReader::Step::end) return found;
    if (step == ArrayReader::Step::bad) return false;
    if (step == ArrayReader::Step::element && !reader.is_null() && reader.text() == wanted)
      found = true;
  }
}

void append_array_element(std::string& out, std::string_view element) {
  bool plain = !element.empty() && !equal_ignoring_case(element, "NULL");
  for (const char c : element) {
    if (c == '"' || c == '\\' || c == '{' || c == '}' || c == ',' || is_space(c)) plain = false;
  }
  if (plain) {
    out.append(element);
    return;
  }
  out.push_back('"');
  for (const char c : element) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace rt
