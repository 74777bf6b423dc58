// The text form of PostgreSQL arrays: {1,NULL,"a b"}, nested {{1,2},{3,4}}, with bounds
// [2:3]={7,8}. A pull parser: no allocation but a scratch for elements with escapes. Takes what
// array_out writes, and the spaces array_in allows around elements; that all rows have one length
// is not checked. Sans-IO; one thread at a time. Source: PostgreSQL 15, section 8.15.6 "Array Input
// and Output Syntax".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rt {

class ArrayReader {
 public:
  enum class Step : std::uint8_t {
    open,     // {
    element,  // is_null() or text()
    close,    // }
    end,      // the whole text was one array
    bad,      // not an array; the reader stays here
  };
  // PostgreSQL's own limit (MAXDIM).
  static constexpr int kDepthMax = 6;

  // `scratch` holds the current element when it has escapes, and may be reused. Both outlive the
  // reader. Every type separates by comma but box, by semicolon.
  ArrayReader(std::string_view text, std::string& scratch, char delimiter = ',');

  Step next();
  // Of the last element; the view is valid until the next call.
  bool is_null() const { return is_null_; }
  std::string_view text() const { return element_; }
  int depth() const { return depth_; }  // braces open

 private:
  enum class Expect : std::uint8_t { open, first, item, separator, nothing, failed };

  Step fail();
  Step open();
  Step close();
  Step element();
  bool quoted_element();
  bool bare_element();
  void skip_spaces();
  bool skip_bounds();

  std::string_view text_;
  std::string& scratch_;
  std::string_view element_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Expect expect_ = Expect::open;
  char delimiter_;
  bool is_null_ = false;
};

// The elements of a text[] value of any dimension in order, NULLs left out; nullopt if it is not an
// array.
std::optional<std::vector<std::string>> parse_text_array(std::string_view text);

// Whether `wanted` is an element, without allocation beyond `scratch`; false if `text` is not an
// array.
bool text_array_contains(std::string_view text, std::string_view wanted, std::string& scratch);

// Appends `element` to an array under construction, quoted when it must be: for writing text[]
// values.
void append_array_element(std::string& out, std::string_view element);

}  // namespace rt
