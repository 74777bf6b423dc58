// Changes columns of rows between a recording and where it is played: `play --rewrite`. Every row
// passes, of the snapshot and of the stream, old and new; keys change alike in both, so that rows
// are still found. Pure; one thread; no allocation for a row once warm.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/record.h"
#include "base/result.h"
#include "proto/pgoutput.h"
#include "proto/relation_cache.h"
#include "rtreplay/rewrite_rule.h"

namespace rt::rtreplay {

class ColumnRewriter {
 public:
  // key: of pseudonyms, needed if a rule makes them. shift_us: how much later times become.
  ColumnRewriter(std::vector<RewriteRule> rules, std::optional<PseudonymKey> key,
                 std::int64_t shift_us);

  bool empty() const { return rules_.empty(); }
  // The record as it goes on; its body may be in our memory until the next call. Code::refused: a
  // value cannot be treated as a rule says.
  Result<RecordView> apply(const RecordView& record);

  // Rules that met no column so far, as given.
  std::vector<std::string> unmet() const;

 private:
  struct Table {
    std::vector<const RewriteRule*> columns;  // by number; null: as it is
    bool touched = false;
    bool drops = false;
  };
  Result<RecordView> apply_wal(const RecordView& record);
  Result<RecordView> apply_snapshot_row(const RecordView& record);
  Result<bool> describe(const pgoutput::Relation& relation);
  Result<bool> rewrite(const pgoutput::Message& message);
  const Table* touched(std::uint32_t oid) const;
  Result<void> edit(std::uint32_t oid, const Table& table, pgoutput::TupleView row,
                    std::vector<pgoutput::Value>& out);
  Result<std::string_view> edit_value(const RewriteRule& rule,
                                      const pgoutput::CachedRelation& relation, std::size_t number,
                                      std::string_view value);

  std::vector<RewriteRule> rules_;
  std::optional<PseudonymKey> key_;
  std::int64_t shift_us_;
  std::vector<bool> met_;  // of each rule
  pgoutput::RelationCache relations_;
  std::unordered_map<std::uint32_t, Table> tables_;
  std::vector<pgoutput::Value> new_, old_;
  std::vector<std::string> made_;  // values of the row at hand; views point into them
  std::size_t made_count_ = 0;
  std::string body_, tuple_;
};

}  // namespace rt::rtreplay
