#include "pg/job_runs_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace rt {
namespace {

bool is_known_type(std::string_view column, std::string_view type) {
  if (column == "payload" || column == "result") return type == "jsonb";
  if (column.ends_with("_at")) {
    return type == "timestamp without time zone" || type == "timestamp with time zone";
  }
  return type == "text" || type == "character varying";  // of any length
}

tl::unexpected<Error> unfit(const TableName& table, const std::string& why) {
  return fail(Code::refused, fmt::format("table {} cannot hold jobs: {}", table.text(), why),
              "name another with --table; \"rtctl jobs setup\" creates it");
}

}  // namespace

Result<void> create_job_runs(Connection& connection, const TableName& table) {
  return connection.exec(
      fmt::format("create table if not exists {} (id text primary key, task_id text not null, "
                  "status text not null default 'pending', payload jsonb, result jsonb, "
                  "error text, started_at timestamp, completed_at timestamp, "
                  "created_at timestamp not null default now())",
                  table.quoted()),
      fmt::format("cannot create table {}", table.text()));
}

Result<JobRunsTypes> check_job_runs(Connection& connection, const TableName& table) {
  const std::string attempt = fmt::format("cannot look up table {}", table.text());
  const Rows columns = RT_TRY(connection.query(
      "select attname, format_type(atttypid, atttypmod), "
      "attnotnull and not atthasdef and attidentity = '' and attgenerated = '' "
      "from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped",
      {table.quoted()}, attempt));
  JobRunsTypes types;
  for (int i = 0; i < columns.size(); ++i) {
    const std::string_view name = columns.text(i, 0);
    const auto* known = std::find(kJobColumns.begin(), kJobColumns.end(), name);
    if (known != kJobColumns.end()) {
      types[static_cast<std::size_t>(known - kJobColumns.begin())] = columns.text(i, 1);
    } else if (columns.text(i, 2) == "t") {
      return unfit(table, fmt::format("its column {} must have a value", name));
    }
  }
  for (std::size_t i = 0; i < kJobColumns.size(); ++i) {
    if (types[i].empty()) return unfit(table, fmt::format("it has no column {}", kJobColumns[i]));
    if (is_known_type(kJobColumns[i], types[i])) continue;
    return unfit(table, fmt::format("its column {} is of type {}", kJobColumns[i], types[i]));
  }
  const Rows unique = RT_TRY(connection.query(
      "select exists (select from pg_index i join pg_attribute a on a.attrelid = i.indrelid "
      "and a.attnum = i.indkey[0] where i.indrelid = to_regclass($1) and i.indisunique "
      "and i.indimmediate and i.indnkeyatts = 1 and i.indpred is null and a.attname = 'id')",
      {table.quoted()}, attempt));
  if (unique.text(0, 0) != "t") return unfit(table, "its column id is not unique");
  return types;
}

}  // namespace rt
