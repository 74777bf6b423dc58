// A JSON document with comments as a tree that remembers where each value came from, so that an
// error in a scenario can name file and line. Also what is done to it before it is read: defaults
// laid under it, single values set by path, and a canonical text to hash. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rt {

struct JsonNode {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  bool boolean = false;
  std::string text;               // of a string; of a number, its shortest spelling
  std::vector<std::string> keys;  // of an object: keys[i] names items[i]
  std::vector<JsonNode> items;    // of an object or array
  std::string where;              // "scenarios/x.json:12", "--set load.rate=5"

  const JsonNode* find(std::string_view key) const;
  JsonNode* find(std::string_view key);
  void put(std::string key, JsonNode value);  // adds, or replaces
};

// Documents are written by people: 1 MiB and 64 levels are far beyond any, and bound what a mistake
// (a log file given as a scenario) can cost.
inline constexpr std::size_t kDocumentBytes = 1 << 20;
inline constexpr std::size_t kDocumentDepth = 64;

// RFC 8259 and // and /* */ comments; keys must be unique. Code::usage with `origin` and line.
Result<JsonNode> parse_document(std::string_view text, const std::string& origin);

// `over` laid over `base`: objects key by key, everything else replaced. A distribution (an object
// with "dist") is one value: half of one and half of another mean nothing.
void merge_document(JsonNode& base, const JsonNode& over);

// Sets one value: "phases.main.hold=60s". A step into a list is an index, or the "name" or "id" of
// an element. VALUE is JSON if it parses as such, else a string. Missing objects are made.
Result<void> apply_override(JsonNode& document, std::string_view assignment);

// One line, keys sorted, no blanks, no comments: equal documents have equal text.
std::string canonical_text(const JsonNode& node);

// For messages: `"20"`, `20`, `a list`, `an object`, `true`, `null`.
std::string describe(const JsonNode& node);

// SHA-256 (FIPS 180-4) of `bytes` in lower-case hex.
std::string sha256_hex(std::string_view bytes);

}  // namespace rt
