// What the realtime tools need in a database: table, replica identity, publication, and a server
// that decodes logically. Every step is idempotent and says what it did.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pg/connection.h"
#include "pg/names.h"

namespace rt {

struct SetupStep {
  std::string text;      // "table public.task_run", "publication rt"
  bool changed = false;  // false: it was there already
};
using OnSetupStep = std::function<void(const SetupStep&)>;

// Creates the run table if it is missing: id, env_id, status, tags, data, created_at, updated_at.
Result<void> ensure_run_table(Connection& connection, const TableName& table,
                              const OnSetupStep& on_step);
// REPLICA IDENTITY FULL: updates and deletes then carry the whole old row.
Result<void> ensure_full_identity(Connection& connection, const TableName& table,
                                  const OnSetupStep& on_step);
// Creates the publication, or adds the tables that it lacks. With `all_operations` an existing one
// is also made to publish inserts, updates, deletes and truncates.
Result<void> ensure_publication(Connection& connection, const std::string& publication,
                                const std::vector<TableName>& tables, bool all_operations,
                                const OnSetupStep& on_step);

// Refuses a server whose wal_level is not logical, with the commands that change it.
Result<void> check_logical_wal(Connection& connection);
// Refuses a role that may not replicate.
Result<void> check_replication_privilege(Connection& connection);
// Refuses when no replication slot is free for a new one.
Result<void> check_free_slot(Connection& connection);

struct SetupOptions {
  TableName table{"public", "task_run"};
  std::string publication = "rt_publication";
};
// All of the above for one run table, in order; an ordinary connection.
Result<void> set_up(Connection& connection, const SetupOptions& options,
                    const OnSetupStep& on_step);

}  // namespace rt
