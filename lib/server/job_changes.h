// The rows of the table of jobs out of a stream of WAL records: follows transactions, and drops
// what was told already. One thread (the hub's).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/position.h"
#include "base/record.h"
#include "proto/job_row.h"
#include "proto/pgoutput.h"
#include "proto/relation_cache.h"

namespace rt::server {

class JobChanges {
 public:
  struct Listener {
    // A row as it is from here on.
    std::function<void(Position, const JobRow&)> on_row;
    std::function<void(Position, const std::string& id)> on_deleted;
    std::function<void()> on_void;           // a snapshot begins: what was is void
    std::function<void(Position)> on_whole;  // it has ended: all rows were told
    std::function<void(Position)> on_truncated;
  };
  // table: "job_runs" or "schema.job_runs".
  JobChanges(std::string table, Listener listener)
      : table_(std::move(table)), listener_(std::move(listener)) {}

  void take(const RecordView& record);
  // Everything up to here was told.
  Position position() const { return position_; }

 private:
  void take_message(const RecordView& record);
  void take_row(std::uint32_t relation, const pgoutput::TupleView* old_row,
                const pgoutput::TupleView* row);
  void take_snapshot_row(std::string_view body);
  const pgoutput::CachedRelation* find(std::uint32_t relation) const;
  JobRow read(const pgoutput::CachedRelation& relation, pgoutput::TupleView tuple) const;

  const std::string table_;
  const Listener listener_;
  pgoutput::RelationCache relations_;
  Position position_;
  std::uint64_t commit_lsn_ = 0;  // of the open transaction
  std::uint32_t next_index_ = 0;
  std::string scratch_;
};

}  // namespace rt::server
