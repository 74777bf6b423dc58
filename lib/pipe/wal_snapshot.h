// The initial state of published tables as records: see pipe/wal_source.h for their order and
// bodies.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "pg/connection.h"
#include "pg/published_tables.h"
#include "pg/slot.h"
#include "pipe/batch_writer.h"

namespace rt {

// One Relation message per table, as prelude.
void append_prelude(BatchWriter& writer, const std::vector<PublishedTable>& tables,
                    std::int64_t received_us);

struct SnapshotOrigin {
  ServerIdentity server;
  std::string slot;
  std::string publication;
  std::uint64_t consistent_point = 0;
};
// The body of snapshot_begin.
std::string snapshot_json(const SnapshotOrigin& origin, const std::vector<PublishedTable>& tables);

// Copies every table inside the connection's transaction and hands all of it over, from
// snapshot_begin to snapshot_end. Returns the number of rows.
Result<std::uint64_t> copy_snapshot(Connection& connection, BatchWriter& writer,
                                    const SnapshotOrigin& origin,
                                    const std::vector<PublishedTable>& tables, const Clock& clock);

}  // namespace rt
