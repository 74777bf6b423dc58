// What a part of the history comes to: the rows that are there at its end. Takes records of the WAL
// in order, and writes them as one snapshot that stands for them all. Holds every row in memory
// while it works. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/position.h"
#include "base/record.h"
#include "base/result.h"
#include "proto/pgoutput.h"

namespace rt::archive {
class Writer;
}

namespace rt::server {

class HistoryFold {
 public:
  void take(const RecordView& record);
  // No snapshot is half told: the rows are those of one moment.
  bool is_whole() const { return !in_snapshot_; }
  // Everything up to here is in the rows.
  Position position() const { return position_; }
  std::size_t row_count() const { return rows_.size(); }

  // The rows as a snapshot at position().
  Result<void> write(archive::Writer& writer, Instant now) const;

 private:
  // A table as one Relation message describes it. Rows stay with the one they were written under.
  struct Table {
    std::uint32_t oid = 0;
    std::string message;
    std::optional<std::size_t> id_column;  // what a row is known by; else it is known by all of it
  };
  struct Row {
    std::uint32_t table = 0;  // in tables_
    std::string tuple;
  };

  void take_message(const RecordView& record);
  void take_relation(const pgoutput::Relation& relation, std::string_view message);
  void take_row(std::uint32_t relation, std::optional<pgoutput::TupleView> old_row,
                std::optional<pgoutput::TupleView> row);
  void take_truncate(const pgoutput::Truncate& truncate);
  void take_snapshot_row(std::string_view body);
  std::string key_of(const Table& table, pgoutput::TupleView row) const;
  // False: the change was taken before (WAL that was sent again).
  bool next_change();

  std::vector<Table> tables_;
  std::unordered_map<std::uint32_t, std::uint32_t> current_;  // by oid, in tables_
  std::unordered_map<std::string, Row> rows_;
  Position position_;
  std::uint64_t commit_lsn_ = 0;  // of the open transaction
  std::uint32_t next_index_ = 0;
  std::int64_t received_us_ = 0;
  bool in_snapshot_ = false;
};

}  // namespace rt::server
