// The runs table of a server without a database: a row that came over HTTP becomes the same WAL
// records that PostgreSQL would have sent, so that everything behind it is one path. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/position.h"
#include "base/record.h"
#include "base/result.h"
#include "server/run_store.h"

namespace rt::server {

class MemoryTable {
 public:
  struct Published {
    std::string id;
    Position position;
  };

  // row: a JSON object with "id" and any of env_id, status, tags, data, created_at, updated_at.
  // Columns not given keep their value, or take the table's default if the run is new.
  // {"id":..,"deleted":true} deletes. Appends one transaction to `out`.
  Result<Published> upsert(std::string_view row, RunStore& store, WallTime now, RecordBatch& out);

  // Positions go on from here.
  void continue_after(std::uint64_t lsn);
  // The Relation message of the table; must be applied once before the first upsert.
  void append_relation(RecordBatch& out, WallTime now) const;

 private:
  std::uint64_t last_lsn_ = 0;
};

}  // namespace rt::server
