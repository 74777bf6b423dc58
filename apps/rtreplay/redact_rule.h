// One --redact of `rtreplay record wal`: which values, and what becomes of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/pseudonym.h"
#include "base/result.h"
#include "proto/relation_cache.h"

namespace rt::rtreplay {

struct RedactRule {
  enum class Act : std::uint8_t { hash, drop };
  enum class Of : std::uint8_t { column, message };
  Of of = Of::column;
  std::string text;    // as given
  std::string schema;  // "": any
  std::string table;   // "*": any
  std::string column;
  std::string prefix;                // of logical messages; "*": any
  std::vector<std::string> members;  // names inside a JSON value, outermost first; empty: all of it
  Act act = Act::hash;

  bool matches(const pgoutput::CachedRelation& relation) const {
    return (table == "*" || table == relation.name) &&
           (schema.empty() || schema == relation.schema) && of == Of::column;
  }
  bool matches(const pgoutput::LogicalMessage& message) const {
    return of == Of::message && (prefix == "*" || prefix == message.prefix);
  }
};

// "/TABLE/COLUMN[/MEMBER...]=hash" or "=drop"; TABLE may be schema.table or *. Of logical messages
// "message:PREFIX[/MEMBER...]"; PREFIX may be *. "~1" stands for "/", "~0" for "~" (RFC 6901).
Result<RedactRule> parse_redact_rule(std::string_view text);

// Where the key of an archive's pseudonyms is, unless another is named: beside the archive, not in
// it: who is given the one need not get the other.
std::string pseudonym_key_file(std::string archive);

// The pseudonym of a value, in a form that its type takes: digits for numbers, a UUID for a UUID.
// Code::usage for a type that has no such form.
Result<std::string> pseudonym_of(const PseudonymKey& key, std::string_view value,
                                 const pgoutput::CachedColumn& column);

// The text of a JSON document with the value at `members` replaced: by null, or by the pseudonym of
// a string, a number or anything else. An array on the way stands for each of its elements.
// Unchanged where there is no such member. Takes valid JSON only.
std::string redact_json(std::string_view json, const RedactRule& rule, const PseudonymKey& key);

// The content of a logical message: all of it empty or a pseudonym, or members of it replaced. Of
// content that is no JSON nobody can say where the members are: it is left out whole.
std::string redact_content(std::string_view content, const RedactRule& rule,
                           const PseudonymKey& key);

}  // namespace rt::rtreplay
