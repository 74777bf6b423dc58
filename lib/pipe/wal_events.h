// Records of a WAL source as events: one for each row change, truncated table, logical message and
// snapshot row, its data one JSON object on one line:
//
//   {"op":"update","schema":"public","table":"orders","commit_time":"2026-03-29T00:30:00.123456Z",
//    "xid":700,"new":{"id":1,"total":"9.90"},"old":{"id":1},"unchanged":["doc"]}
//   {"op":"truncate","schema":"public","table":"orders","commit_time":"...","xid":701}
//   {"op":"message","prefix":"audit","content":"hello","commit_time":"...","xid":702}
//
// "old" is what the replica identity gives: the key if it changed, or the whole row. "unchanged"
// names large values that were neither changed nor sent, and of which no old row tells. Sans-IO;
// one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/stream_tracker.h"
#include "base/clock.h"
#include "base/position.h"
#include "base/record.h"
#include "base/result.h"
#include "pg/names.h"
#include "proto/pgoutput.h"
#include "proto/relation_cache.h"

namespace rt {

// Views live until the call they are handed to returns.
struct WalEvent {
  std::string_view name;  // insert, update, delete, truncate, message, or row (of a snapshot)
  // Position::text(). Empty where going on after it would miss or repeat others: a snapshot's rows,
  // and messages inside a transaction, which take no index of their own.
  std::string_view id;
  std::string_view topic;  // "schema.table", or a message's prefix
  std::string_view data;
  std::optional<WallTime> committed;
};

struct WalEventsOptions {
  std::vector<TableName> tables;    // only their rows, and no messages; empty: everything
  std::optional<Position> after;    // drop what stands there or before
  std::optional<WallTime> since{};  // drop what was committed before
};

class WalEvents {
 public:
  using Emit = std::function<void(const WalEvent&)>;

  explicit WalEvents(WalEventsOptions options) : options_(std::move(options)) {}

  // Takes the next record. A transaction that comes again after a lost connection is told from
  // where it was cut off. Code::integrity when a change cannot be read.
  Result<void> take(const RecordView& record, const Emit& emit);

  // The position to confirm once all events so far are safe.
  std::uint64_t end_lsn() const { return tracker_.end_lsn(); }

 private:
  struct Row;
  Result<void> take_message(const RecordView& record, const Emit& emit);
  Result<void> take_row(const Row& row, const Emit& emit);
  Result<void> take_truncate(const pgoutput::Truncate& truncate, const Emit& emit);
  void take_logical_message(const pgoutput::LogicalMessage& message, const Emit& emit);
  Result<void> take_snapshot_row(std::string_view body, const Emit& emit);

  Result<const pgoutput::CachedRelation*> relation(std::uint32_t oid) const;
  // Whether the next change of the open transaction is told: not before `after` and `since`, and
  // not yet told before the connection was lost.
  bool is_news(const Position& position);
  bool is_wanted(const pgoutput::CachedRelation& relation) const;
  // Begins data_ and sets topic_.
  void begin_data(std::string_view op, const pgoutput::CachedRelation& relation);
  void append_transaction();
  void emit_change(std::string_view name, const Position& position, const Emit& emit);

  WalEventsOptions options_;
  archive::StreamTracker tracker_;
  pgoutput::RelationCache relations_;
  std::string commit_time_;         // of the open transaction
  std::uint32_t changes_ = 0;       // of the open transaction so far: rows and messages
  std::uint64_t told_lsn_ = 0;      // the transaction of the last change told,
  std::uint32_t told_changes_ = 0;  // and its number in it
  std::string data_;
  std::string topic_;
  std::string scratch_;
};

}  // namespace rt
