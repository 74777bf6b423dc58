// One --rewrite of `rtreplay play`: which column, and what becomes of its values on the way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/pseudonym.h"
#include "base/result.h"
#include "proto/relation_cache.h"
#include "rtreplay/name_globs.h"

namespace rt::rtreplay {

struct RewriteRule {
  enum class Act : std::uint8_t {
    hash,   // a pseudonym, as `record --redact` makes them
    drop,   // the column is not there
    null,   // its value is NULL
    add,    // of whole numbers: `added` more
    shift,  // of times: later by the age of the recording
  };
  std::string text;  // as given
  NameGlobs tables;
  std::string column;
  Act act = Act::hash;
  std::int64_t added = 0;

  bool matches(const pgoutput::CachedRelation& relation) const {
    return tables.match_table(relation.schema, relation.name);
  }
  // Code::refused: values of this column cannot be treated so.
  Result<void> check(const pgoutput::CachedRelation& relation,
                     const pgoutput::CachedColumn& column) const;
};

// "TABLE.COLUMN=hash", "=drop", "=null", "=+1000000", "=-5" or "=shift". TABLE as `filter --table`
// has it: orders, app.orders, *.
Result<RewriteRule> parse_rewrite_rule(const std::string& text);

// Nothing: the sum does not fit the type.
std::optional<std::int64_t> add_to(std::string_view value, std::int64_t added,
                                   std::uint32_t type_oid);
// A date, timestamp or timestamptz as PostgreSQL writes it (ISO), `us` later; infinity stays.
// Nothing: it is none, or one that we do not reckon with (BC, years above 9999).
std::optional<std::string> shift_time(std::string_view value, std::int64_t us,
                                      std::uint32_t type_oid);

}  // namespace rt::rtreplay
