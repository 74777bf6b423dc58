// Takes values out of WAL records before they reach a disk: `rtreplay record wal --redact`. Every
// row passes through it, of the snapshot and of the stream, old and new; what it cannot read is an
// error, never passed on. So does every logical message; one that no rule names stays as it is, and
// the first such is said. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/record.h"
#include "base/result.h"
#include "proto/pgoutput.h"
#include "proto/relation_cache.h"
#include "rtreplay/redact_rule.h"

namespace rt::rtreplay {

class Redactor {
 public:
  using Warn = std::function<void(const std::string&)>;

  Redactor(std::vector<RedactRule> rules, const PseudonymKey& key, Warn warn = {});

  // The batch with its values replaced; valid until the next call. Code::usage: a rule names no
  // published column, a column of the primary key is to be dropped, or a type has no pseudonyms.
  Result<RecordBatch*> take(const RecordBatch& batch);

 private:
  struct Column {
    std::size_t index = 0;
    const RedactRule* rule = nullptr;
  };
  Result<void> take_one(const RecordView& record);
  Result<void> take_message(const RecordView& record);
  // False if it stays as it is.
  bool redact_content(pgoutput::LogicalMessage& message);
  Result<void> describe(const pgoutput::Relation& relation, bool made_by_source);
  Result<void> check_rules() const;
  // Of a relation; fails for one that is not known.
  Result<const std::vector<Column>*> columns_of(std::uint32_t oid) const;
  Result<std::string> redact_value(const Column& column, std::uint32_t oid,
                                   std::string_view value) const;
  // TupleData with what must go replaced, in `tuple`.
  Result<pgoutput::TupleView> redact_row(std::uint32_t oid, pgoutput::TupleView row,
                                         std::string& tuple);
  Result<void> take_snapshot_row(const RecordView& record);

  std::vector<RedactRule> rules_;
  PseudonymKey key_;
  pgoutput::RelationCache cache_;
  std::unordered_map<std::uint32_t, std::vector<Column>> columns_;
  RecordBatch out_;
  std::string body_, old_tuple_, new_tuple_, content_;
  Warn warn_;
  std::vector<bool> matched_;  // of each rule: a column was found
  bool checked_ = false;
  bool in_stream_ = false;
  bool told_clear_ = false;  // that messages are stored in clear
};

}  // namespace rt::rtreplay
