#include "pg/setup.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace rt {

namespace {

void report(const OnSetupStep& on_step, std::string text, bool changed) {
  if (on_step) on_step({std::move(text), changed});
}

// relkind and relreplident, "" if there is no such table.
Result<std::string> relation_traits(Connection& connection, const TableName& table) {
  const Rows rows = RT_TRY(connection.query(
      fmt::format("SELECT c.relkind::text || c.relreplident::text FROM pg_catalog.pg_class c "
                  "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                  "WHERE n.nspname = {} AND c.relname = {}",
                  connection.literal(table.schema), connection.literal(table.table)),
      fmt::format("cannot look up table {}", table.text())));
  return rows.size() == 0 ? std::string() : std::string(rows.text(0, 0));
}

Result<std::string> setting(Connection& connection, std::string_view name) {
  const Rows rows =
      RT_TRY(connection.query(fmt::format("SHOW {}", name), fmt::format("cannot read {}", name)));
  return std::string(rows.text(0, 0));
}

std::string join_quoted(const std::vector<TableName>& tables) {
  std::string list;
  for (const TableName& table : tables) {
    if (!list.empty()) list += ", ";
    list += table.quoted();
  }
  return list;
}

Result<std::vector<TableName>> tables_missing_in(Connection& connection,
                                                 const std::string& publication,
                                                 const std::vector<TableName>& tables) {
  const Rows rows = RT_TRY(connection.query(
      fmt::format("SELECT schemaname, tablename FROM pg_catalog.pg_publication_tables "
                  "WHERE pubname = {}",
                  connection.literal(publication)),
      fmt::format("cannot look up publication {}", publication)));
  std::vector<TableName> missing;
  for (const TableName& table : tables) {
    bool found = false;
    for (int row = 0; row < rows.size() && !found; ++row) {
      found = rows.text(row, 0) == table.schema && rows.text(row, 1) == table.table;
    }
    if (!found) missing.push_back(table);
  }
  return missing;
}

constexpr const char* kAllOperations = "publish = 'insert, update, delete, truncate'";

Result<void> create_publication(Connection& connection, const std::string& publication,
                                const std::vector<TableName>& tables) {
  const std::string list = join_quoted(tables);
  return connection.exec(
      fmt::format("CREATE PUBLICATION {} {}{} WITH ({})", quote_identifier(publication),
                  list.empty() ? "" : "FOR TABLE ", list, kAllOperations),
      fmt::format("cannot create publication {}", publication));
}

}  // namespace

Result<void> ensure_run_table(Connection& connection, const TableName& table,
                              const OnSetupStep& on_step) {
  const std::string traits = RT_TRY(relation_traits(connection, table));
  if (!traits.empty() && traits[0] != 'r' && traits[0] != 'p') {
    return fail(Code::refused, fmt::format("{} is not a table", table.text()),
                "name another table");
  }
  if (traits.empty()) {
    RT_CHECKED(connection.exec(
        fmt::format("CREATE TABLE IF NOT EXISTS {} ("
                    "id text PRIMARY KEY, env_id text, status text NOT NULL DEFAULT 'PENDING', "
                    "tags text[] NOT NULL DEFAULT '{{}}', data jsonb, "
                    "created_at timestamptz NOT NULL DEFAULT now(), "
                    "updated_at timestamptz NOT NULL DEFAULT now())",
                    table.quoted()),
        fmt::format("cannot create table {}", table.text())));
  }
  report(on_step, "table " + table.text(), traits.empty());
  return {};
}

Result<void> ensure_full_identity(Connection& connection, const TableName& table,
                                  const OnSetupStep& on_step) {
  const std::string traits = RT_TRY(relation_traits(connection, table));
  if (traits.empty()) {
    return fail(Code::refused, fmt::format("table {} does not exist", table.text()),
                "rtctl setup creates it");
  }
  const bool change = traits[1] != 'f';
  if (change) {
    RT_CHECKED(connection.exec(fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL", table.quoted()),
                               fmt::format("cannot set the replica identity of {}", table.text())));
  }
  report(on_step, "replica identity FULL of " + table.text(), change);
  return {};
}

Result<void> ensure_publication(Connection& connection, const std::string& publication,
                                const std::vector<TableName>& tables, bool all_operations,
                                const OnSetupStep& on_step) {
  const Rows found = RT_TRY(
      connection.query(fmt::format("SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate "
                                   "FROM pg_catalog.pg_publication WHERE pubname = {}",
                                   connection.literal(publication)),
                       fmt::format("cannot look up publication {}", publication)));
  if (found.size() == 0) {
    RT_CHECKED(create_publication(connection, publication, tables));
    report(on_step, "publication " + publication, true);
    return {};
  }
  const auto missing = RT_TRY(tables_missing_in(connection, publication, tables));
  if (!missing.empty()) {
    RT_CHECKED(connection.exec(fmt::format("ALTER PUBLICATION {} ADD TABLE {}",
                                           quote_identifier(publication), join_quoted(missing)),
                               fmt::format("cannot add tables to publication {}", publication)));
  }
  const bool widen = all_operations && found.text(0, 0) != "t";
  if (widen) {
    RT_CHECKED(connection.exec(
        fmt::format("ALTER PUBLICATION {} SET ({})", quote_identifier(publication), kAllOperations),
        fmt::format("cannot change publication {}", publication)));
  }
  report(on_step, "publication " + publication, widen || !missing.empty());
  return {};
}

Result<void> check_logical_wal(Connection& connection) {
  const std::string level = RT_TRY(setting(connection, "wal_level"));
  if (level == "logical") return {};
  return fail(Code::refused,
              fmt::format("cannot stream changes from {}: wal_level is {}, not logical",
                          connection.endpoint(), level),
              "run ALTER SYSTEM SET wal_level = logical; then restart PostgreSQL");
}

Result<void> check_replication_privilege(Connection& connection) {
  // Managed services hand the privilege out by membership in a role of their own.
  const Rows rows = RT_TRY(connection.query(
      "SELECT current_user, bool_or(r.rolreplication OR r.rolsuper), "
      "coalesce(bool_or(pg_catalog.pg_has_role(current_user, m.oid, 'member')), false) "
      "FROM pg_catalog.pg_roles r LEFT JOIN pg_catalog.pg_roles m "
      "ON m.rolname IN ('rds_replication', 'rds_superuser', 'azure_pg_admin') "
      "WHERE r.rolname = current_user",
      "cannot look up the privileges of this role"));
  if (rows.text(0, 1) == "t" || rows.text(0, 2) == "t") return {};
  return fail(
      Code::refused,
      fmt::format("role {} may not replicate on {}", rows.text(0, 0), connection.endpoint()),
      fmt::format("run as a superuser: ALTER ROLE {} REPLICATION",
                  quote_identifier(rows.text(0, 0))));
}

Result<void> check_free_slot(Connection& connection) {
  const Rows rows =
      RT_TRY(connection.query("SELECT (SELECT setting FROM pg_catalog.pg_settings "
                              "WHERE name = 'max_replication_slots'), count(*) "
                              "FROM pg_catalog.pg_replication_slots",
                              "cannot count replication slots"));
  const auto limit = parse_decimal(rows.text(0, 0)).value_or(0);
  const auto used = parse_decimal(rows.text(0, 1)).value_or(0);
  if (used < limit) return {};
  return fail(Code::refused,
              fmt::format("no replication slot is free on {}: max_replication_slots is {}",
                          connection.endpoint(), limit),
              "drop one that nobody uses (pg_replication_slots lists them), or raise "
              "max_replication_slots and restart PostgreSQL");
}

Result<void> set_up(Connection& connection, const SetupOptions& options,
                    const OnSetupStep& on_step) {
  RT_CHECKED(check_logical_wal(connection));
  RT_CHECKED(ensure_run_table(connection, options.table, on_step));
  RT_CHECKED(ensure_full_identity(connection, options.table, on_step));
  RT_CHECKED(ensure_publication(connection, options.publication, {options.table},
                                /*all_operations=*/true, on_step));
  return check_replication_privilege(connection);
}

}  // namespace rt
