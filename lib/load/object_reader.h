// Typed, strict access to one object of a document. Each error is one line: where it is written,
// its path, what was expected, what was found. All values are optional: what is absent keeps its
// default.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "load/document.h"

namespace rt {

class ObjectReader {
 public:
  using Keys = std::initializer_list<std::string_view>;
  // A word of the format that this version cannot carry out, and why: it is refused by name and
  // never ignored.
  struct Refused {
    std::string_view word;
    std::string_view why;
    Refused(const char* refused, const char* reason = "") : word(refused), why(reason) {}
  };
  using Refusals = std::initializer_list<Refused>;

  // `known` are the keys read here. `node` must outlive the reader.
  static Result<ObjectReader> open(const JsonNode& node, std::string path, Keys known,
                                   Refusals refused = {});

  const JsonNode* find(std::string_view key) const { return node_->find(key); }
  std::string path(std::string_view key) const;
  const std::string& path() const { return path_; }
  const JsonNode& node() const { return *node_; }

  Result<void> require(std::string_view key) const;
  Result<void> text(std::string_view key, std::string& out) const;
  Result<void> flag(std::string_view key, bool& out) const;
  // A JSON integer, or a string with a suffix ("400k").
  Result<void> count(std::string_view key, std::uint64_t& out, std::uint64_t min,
                     std::uint64_t max) const;
  Result<void> number(std::string_view key, double& out, double min, double max) const;
  Result<void> duration(std::string_view key, Duration& out) const;  // "300ms"; never bare
  Result<void> bytes(std::string_view key, std::uint32_t& out, std::uint64_t min,
                     std::uint64_t max) const;                   // "256B"
  Result<void> rate(std::string_view key, double& per_s) const;  // "500/s", or bare: a second

  struct Word {
    std::string_view text;
    int value;
  };
  // One of `words`.
  Result<int> word(std::string_view key, int otherwise, std::initializer_list<Word> words,
                   Refusals refused = {}) const;

  // Errors that name a place in the document.
  static tl::unexpected<Error> wrong(const JsonNode& node, const std::string& path,
                                     std::string_view what);

 private:
  ObjectReader(const JsonNode& node, std::string path) : node_(&node), path_(std::move(path)) {}

  const JsonNode* node_;
  std::string path_;
};

// `; did you mean "hold"?`, or `; known: a, b, c`.
std::string suggestion(std::string_view word, std::span<const std::string_view> known);

}  // namespace rt
