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
  std::string text;    // as given
  std::string schema;  // "": any
  std::string table;   // "*": any
  std::string column;
  std::vector<std::string> members;  // names inside a JSON value, outermost first; empty: all of it
  Act act = Act::hash;

  bool matches(const pgoutput::CachedRelation& relation) const {
    return (table == "*" || table == relation.name) &&
           (schema.empty() || schema == relation.schema);
  }
};

// "/TABLE/COLUMN[/MEMBER...]=hash" or "=drop"; TABLE may be schema.table or *. "~1" stands for "/",
// "~0" for "~" (RFC 6901).
Result<RedactRule> parse_redact_rule(std::string_view text);

// Where the key of an archive's pseudonyms is, unless another is named: beside the archive, not in
// it: who is given the one need not get the other.
std::string pseudonym_key_file(std::string archive);

// The pseudonym of a value, in a form that its type takes: digits for numbers, a UUID for a UUID.
// Code::usage for a type that has no such form.
Result<std::string> pseudonym_of(const PseudonymKey& key, std::string_view value,
                                 const pgoutput::CachedColumn& column);

// The text of a JSON document with the value at `members` replaced: by null, or by the pseudonym of
// a string, a number or anything else. Unchanged where there is no such member.
std::string redact_json(std::string_view json, const RedactRule& rule, const PseudonymKey& key);

}  // namespace rt::rtreplay
