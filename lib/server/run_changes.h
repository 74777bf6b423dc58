// Reads a stream of records as changes of the runs table: follows transactions, keeps the store
// current, drops what was already applied (WAL sent again after a reconnect), and yields one event
// per change. One thread (the hub's).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/position.h"
#include "base/record.h"
#include "proto/pgoutput.h"
#include "server/run_encoder.h"
#include "server/run_store.h"

namespace rt::server {

class RunChanges {
 public:
  // table: "task_run" or "schema.task_run". store outlives this; so does go, see RunEncoder.
  RunChanges(std::string table, RunStore& store, RunGoFrames* go = nullptr);

  // What a record led to.
  struct Listener {
    std::function<void(EventRef)> on_event;
    // A snapshot replaced everything; the store is complete as of this position.
    std::function<void(Position)> on_snapshot;
  };
  // Takes the next record. Unknown or damaged messages are counted and skipped.
  void take(const RecordView& record, const Listener& listener);

  // Everything up to here is in the store.
  Position position() const { return position_; }
  // End LSN of the last commit taken: where a source goes on.
  std::uint64_t end_lsn() const { return end_lsn_; }
  std::int64_t last_commit_us() const { return last_commit_us_; }
  std::uint64_t damaged() const { return damaged_; }

 private:
  void take_message(std::string_view body, bool prelude, const Listener& listener);
  void take_relation(const pgoutput::Relation& relation);
  void take_row(std::uint32_t relation, std::optional<pgoutput::TupleView> old_row,
                std::optional<pgoutput::TupleView> row, const Listener& listener);
  void emit(const std::shared_ptr<const RunTable>& table, std::optional<pgoutput::TupleView> before,
            std::optional<pgoutput::TupleView> after, std::uint32_t old_slot, RunEncoder::At at,
            const Listener& listener);
  void take_truncate(const pgoutput::Truncate& truncate, const Listener& listener);
  void take_snapshot_row(std::string_view body);
  bool is_news(Position position) const { return position > position_; }

  const std::string table_;
  RunStore& store_;
  RunGoFrames* const go_;
  RunEncoder encoder_;
  std::unordered_map<std::uint32_t, std::shared_ptr<const RunTable>> tables_;  // by oid; ours only

  Position position_;
  std::uint64_t end_lsn_ = 0;
  std::int64_t last_commit_us_ = 0;
  std::uint64_t damaged_ = 0;
  // The open transaction.
  std::uint64_t commit_lsn_ = 0;
  std::int64_t commit_us_ = 0;
  std::uint32_t next_index_ = 0;
  // Scratch of the change at hand.
  std::string merged_;
  std::string before_copy_;
  std::string snapshot_tuple_;
};

}  // namespace rt::server
