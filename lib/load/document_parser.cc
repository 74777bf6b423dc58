// parse_document(): nlohmann's SAX parser does the grammar; this builds the tree and keeps the
// lines.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "load/document.h"

namespace rt {
namespace {

using Json = nlohmann::json;

// An iterator that says how far the parser has read. The lexer reads one byte at a time and sends a
// value as soon as it has seen its end, at most one byte later.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* consumed) : at_(at), consumed_(consumed) {}
  const char& operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*consumed_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* consumed_;
};

class TreeBuilder final : public nlohmann::json_sax<Json> {
 public:
  TreeBuilder(std::string_view text, const std::size_t* consumed, const std::string& origin)
      : text_(text), consumed_(consumed), origin_(origin) {}

  bool null() override { return add(node(JsonNode::Kind::null)); }
  bool boolean(bool value) override {
    JsonNode leaf = node(JsonNode::Kind::boolean);
    leaf.boolean = value;
    return add(std::move(leaf));
  }
  bool number_integer(number_integer_t value) override { return add_number(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    return add_number(std::to_string(value));
  }
  bool number_float(number_float_t value, const string_t&) override {
    return add_number(fmt::format("{}", value));
  }
  bool string(string_t& value) override {
    JsonNode leaf = node(JsonNode::Kind::string);
    leaf.text = std::move(value);
    return add(std::move(leaf));
  }
  bool binary(binary_t&) override { return false; }  // JSON text has none
  bool start_object(std::size_t) override { return open(JsonNode::Kind::object); }
  bool start_array(std::size_t) override { return open(JsonNode::Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    JsonNode& object = open_.back();
    if (object.find(value) != nullptr) {
      error_ = fmt::format("{}: key \"{}\" appears twice in one object", place(), value);
      return false;
    }
    object.keys.push_back(std::move(value));
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception& exception) override {
    const std::string what = exception.what();
    const std::size_t detail = what.find("syntax error");
    error_ = fmt::format("{}: not valid JSON: {}", place(),
                         detail == std::string::npos ? what : what.substr(detail));
    return false;
  }

  JsonNode root;
  const std::string& error() const { return error_; }

 private:
  std::string place() const {
    const std::size_t end = std::min(text_.size(), *consumed_ == 0 ? 0 : *consumed_ - 1);
    const auto line =
        1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(end), '\n');
    return fmt::format("{}:{}", origin_, line);
  }
  JsonNode node(JsonNode::Kind kind) const {
    JsonNode out;
    out.kind = kind;
    out.where = place();
    return out;
  }
  bool add_number(std::string text) {
    JsonNode leaf = node(JsonNode::Kind::number);
    leaf.text = std::move(text);
    return add(std::move(leaf));
  }
  bool add(JsonNode leaf) {
    (open_.empty() ? root : open_.back().items.emplace_back()) = std::move(leaf);
    return true;
  }
  bool open(JsonNode::Kind kind) {
    if (open_.size() == kDocumentDepth) {
      error_ = fmt::format("{}: nested deeper than {} levels", place(), kDocumentDepth);
      return false;
    }
    open_.push_back(node(kind));
    return true;
  }
  bool close() {
    JsonNode done = std::move(open_.back());
    open_.pop_back();
    return add(std::move(done));
  }

  std::string_view text_;
  const std::size_t* consumed_;
  const std::string& origin_;
  std::vector<JsonNode> open_;
  std::string error_;
};

}  // namespace

Result<JsonNode> parse_document(std::string_view text, const std::string& origin) {
  if (text.size() > kDocumentBytes) {
    return fail(Code::usage, fmt::format("{}: {} bytes are too many for a scenario (at most {})",
                                         origin, text.size(), kDocumentBytes));
  }
  std::size_t consumed = 0;
  TreeBuilder builder(text, &consumed, origin);
  const bool parsed = Json::sax_parse(CountingIterator(text.data(), &consumed),
                                      CountingIterator(text.data() + text.size(), &consumed),
                                      &builder, Json::input_format_t::json, /*strict=*/true,
                                      /*ignore_comments=*/true);
  if (!parsed) return fail(Code::usage, builder.error());
  return std::move(builder.root);
}

}  // namespace rt
