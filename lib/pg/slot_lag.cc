#include "pg/slot_lag.h"

#include <fmt/format.h>

#include "base/text.h"

namespace rt {

Result<std::optional<SlotLag>> read_slot_lag(Connection& connection, const std::string& name) {
  // max_slot_wal_keep_size is in MB, -1: no limit. greatest(): a position ahead is no lag.
  const std::string sql = fmt::format(
      "SELECT greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0)::bigint, "
      "greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint, "
      "greatest(safe_wal_size, 0), "
      "(SELECT setting::bigint << 20 FROM pg_catalog.pg_settings "
      "WHERE name = 'max_slot_wal_keep_size' AND setting <> '-1') "
      "FROM pg_catalog.pg_replication_slots WHERE slot_name = {} AND wal_status <> 'lost'",
      connection.literal(name));
  const Rows rows = RT_TRY(connection.query(sql, "cannot look up the lag of the slot"));
  if (rows.size() == 0) return std::nullopt;
  SlotLag lag;
  lag.behind = parse_decimal(rows.text(0, 0)).value_or(0);
  lag.pinned = parse_decimal(rows.text(0, 1)).value_or(0);
  lag.left = parse_decimal(rows.text(0, 2));
  lag.limit = parse_decimal(rows.text(0, 3));
  return lag;
}

}  // namespace rt
