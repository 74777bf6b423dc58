#include "load/object_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/text.h"
#include "base/units.h"

namespace rt {
namespace {

using Kind = JsonNode::Kind;

bool contains(ObjectReader::Keys keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

const ObjectReader::Refused* refusal_of(ObjectReader::Refusals refused, std::string_view word) {
  const auto found = std::find_if(refused.begin(), refused.end(),
                                  [&](const auto& one) { return one.word == word; });
  return found == refused.end() ? nullptr : &*found;
}

tl::unexpected<Error> refusal(const JsonNode& node, const std::string& path,
                              const ObjectReader::Refused& refused) {
  return ObjectReader::wrong(
      node, path,
      fmt::format("\"{}\" is known but not supported yet by this version{}{}", refused.word,
                  refused.why.empty() ? "" : ": ", refused.why));
}

tl::unexpected<Error> expected(const JsonNode& node, const std::string& path,
                               std::string_view what) {
  return ObjectReader::wrong(node, path,
                             fmt::format("expected {}, found {}", what, describe(node)));
}

// A JSON integer without fraction or sign, or a string with k or M.
Result<std::uint64_t> count_of(const JsonNode& node) {
  const auto none = [] { return fail(Code::usage, ""); };
  if (node.kind == Kind::string) return parse_count(node.text);
  if (node.kind != Kind::number) return none();
  const auto whole = parse_decimal(node.text);
  if (!whole) return none();
  return *whole;
}

bool number_of(const JsonNode& node, double& out) {
  if (node.kind != Kind::number) return false;
  const char* const end = node.text.data() + node.text.size();
  return std::from_chars(node.text.data(), end, out).ptr == end;
}

}  // namespace

std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
  if (const auto near = nearest(word, known)) return fmt::format("; did you mean \"{}\"?", *near);
  return fmt::format("; known here: {}", fmt::join(known, ", "));
}

tl::unexpected<Error> ObjectReader::wrong(const JsonNode& node, const std::string& path,
                                          std::string_view what) {
  return fail(Code::usage, fmt::format("{}: {}: {}", node.where, path.empty() ? "/" : path, what));
}

Result<ObjectReader> ObjectReader::open(const JsonNode& node, std::string path, Keys known,
                                        Refusals refused) {
  if (node.kind != Kind::object) return expected(node, path, "an object");
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const std::string& key = node.keys[i];
    if (contains(known, key)) continue;
    const std::string full = path + "/" + key;
    if (const Refused* one = refusal_of(refused, key)) return refusal(node.items[i], full, *one);
    std::vector<std::string_view> all(known);
    for (const Refused& one : refused) all.push_back(one.word);
    return wrong(node.items[i], full, "unknown key" + suggestion(key, all));
  }
  return ObjectReader(node, std::move(path));
}

std::string ObjectReader::path(std::string_view key) const {
  return fmt::format("{}/{}", path_, key);
}

Result<void> ObjectReader::require(std::string_view key) const {
  if (find(key) != nullptr) return {};
  return wrong(*node_, path_, fmt::format("\"{}\" is missing", key));
}

Result<void> ObjectReader::text(std::string_view key, std::string& out) const {
  const JsonNode* value = find(key);
  if (value == nullptr) return {};
  if (value->kind != Kind::string) return expected(*value, path(key), "a string");
  out = value->text;
  return {};
}

Result<void> ObjectReader::flag(std::string_view key, bool& out) const {
  const JsonNode* value = find(key);
  if (value == nullptr) return {};
  if (value->kind != Kind::boolean) return expected(*value, path(key), "true or false");
  out = value->boolean;
  return {};
}

Result<void> ObjectReader::count(std::string_view key, std::uint64_t& out, std::uint64_t min,
                                 std::uint64_t max) const {
  const JsonNode* value = find(key);
  if (value == nullptr) return {};
  const auto parsed = count_of(*value);
  if (!parsed || *parsed < min || *parsed > max) {
    return expected(*value, path(key), fmt::format("a whole number from {} to {}", min, max));
  }
  out = *parsed;
  return {};
}

Result<void> ObjectReader::number(std::string_view key, double& out, double min, double max) const {
  const JsonNode* value = find(key);
  if (value == nullptr) return {};
  double parsed = 0;
  if (!number_of(*value, parsed) || parsed < min || parsed > max) {
    return expected(*value, path(key), fmt::format("a number from {} to {}", min, max));
  }
  out = parsed;
  return {};
}

Result<void> ObjectReader::duration(std::string_view key, Duration& out) const {
  const JsonNode* value = find(key);
  if (value == nullptr) return {};
  if (value->kind == Kind::string) {
    if (const auto parsed = parse_duration(value->text)) {
      out = *parsed;
      return {};
    }
  }
  return expected(*value, path(key), "a duration with its unit, like \"300ms\" or \"5m\"");
}

Result<void> ObjectReader::bytes(std::string_view key, std::uint32_t& out, std::uint64_t min,
                                 std::uint64_t max) const {
  const JsonNode* value = find(key);
  if (value == nullptr) return {};
  if (value->kind == Kind::string) {
    const auto parsed = parse_bytes(value->text);
    if (parsed && *parsed >= min && *parsed <= max) {
      out = static_cast<std::uint32_t>(*parsed);
      return {};
    }
  }
  return expected(
      *value, path(key),
      fmt::format("a size with its unit, from {} to {} bytes, like \"256B\" or \"4KiB\"", min,
                  max));
}

Result<void> ObjectReader::rate(std::string_view key, double& per_s) const {
  const JsonNode* value = find(key);
  if (value == nullptr) return {};
  if (number_of(*value, per_s) && per_s >= 0) return {};
  if (value->kind == Kind::string) {
    if (const auto parsed = parse_rate(value->text)) {
      per_s = *parsed;
      return {};
    }
  }
  return expected(*value, path(key), "a rate like \"500/s\" or \"5k/s\", or a number a second");
}

Result<int> ObjectReader::word(std::string_view key, int otherwise,
                               std::initializer_list<Word> words, Refusals refused) const {
  const JsonNode* value = find(key);
  if (value == nullptr) return otherwise;
  std::vector<std::string_view> known;
  for (const Word& one : words) known.push_back(one.text);
  if (value->kind != Kind::string) {
    return expected(*value, path(key), fmt::format("one of {}", fmt::join(known, ", ")));
  }
  for (const Word& one : words) {
    if (one.text == value->text) return one.value;
  }
  if (const Refused* one = refusal_of(refused, value->text)) {
    return refusal(*value, path(key), *one);
  }
  return wrong(*value, path(key),
               fmt::format("unknown value \"{}\"", value->text) + suggestion(value->text, known));
}

}  // namespace rt
