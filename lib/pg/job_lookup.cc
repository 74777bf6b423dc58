#include "pg/job_lookup.h"

#include <fmt/format.h>

#include "pg/job_row_sql.h"

namespace rt {
namespace {

// What follows the columns of job_row_selection().
constexpr const char* kMore =
    "j.state::text, j.priority, j.retry_count, j.retry_limit, j.start_after at time zone 'UTC'";

std::int64_t number(const Rows& rows, int row, int column) {
  std::int64_t value = 0;
  for (const char c : rows.text(row, column)) {
    if (c >= '0' && c <= '9') value = value * 10 + (c - '0');
  }
  return rows.text(row, column).substr(0, 1) == "-" ? -value : value;
}

FoundJob found_job(const Rows& rows, int row) {
  constexpr int kFirst = static_cast<int>(kJobColumns.size());
  FoundJob job;
  job.row = read_job_row(rows, row);
  job.state = rows.text(row, kFirst);
  job.priority = number(rows, row, kFirst + 1);
  job.retry_count = number(rows, row, kFirst + 2);
  job.retry_limit = number(rows, row, kFirst + 3);
  JobRow start;
  set_job_column(start, "started_at", rows.value(row, kFirst + 4));
  job.start_after_us = start.started_us;
  return job;
}

// The primary key is (name, id): an index in each queue, and none on the id alone.
std::string find_sql(const JobSchema& schema, const char* table) {
  return fmt::format(
      "select {0}, {1} from {2}.queue q cross join lateral (select * from {2}.{3} "
      "where name = q.name and id = $1::uuid offset 0) j",
      job_row_selection("j"), kMore, schema.at(), table);
}

}  // namespace

Result<std::optional<FoundJob>> find_job(Connection& connection, const JobSchema& schema,
                                         const std::string& id) {
  if (!is_job_id(id)) return std::nullopt;
  const std::string attempt = fmt::format("cannot look up job {}", id);
  const Rows live = RT_TRY(connection.query(find_sql(schema, "job"), {id}, attempt));
  if (live.size() > 0) return found_job(live, 0);
  if (!schema.has_archive()) return std::nullopt;
  const Rows archived = RT_TRY(connection.query(find_sql(schema, "archive"), {id}, attempt));
  if (archived.size() > 0) return found_job(archived, 0);
  return std::nullopt;
}

Result<std::vector<FoundJob>> list_jobs(Connection& connection, const JobSchema& schema,
                                        const JobListing& listing) {
  std::string states;
  for (const std::string& state : listing.states) {
    states.append(states.empty() ? "{" : ",").append(state);
  }
  std::optional<std::string> wanted;
  if (!states.empty()) wanted = states + "}";
  std::optional<std::string> queue;
  if (!listing.queue.empty()) queue = listing.queue;
  const Rows rows = RT_TRY(
      connection.query(fmt::format("select {}, {} from {}.job j where "
                                   "(j.name = $1 or $1 is null and not starts_with(j.name, '{}')) "
                                   "and ($2::text[] is null or j.state::text = any ($2::text[])) "
                                   "order by j.created_on desc, j.id limit $3::bigint",
                                   job_row_selection("j"), kMore, schema.at(), kInternalQueues),
                       {queue, wanted, std::to_string(listing.count_max)}, "cannot list jobs"));
  std::vector<FoundJob> jobs;
  for (int i = 0; i < rows.size(); ++i) jobs.push_back(found_job(rows, i));
  return jobs;
}

Result<bool> has_job_queue(Connection& connection, const JobSchema& schema,
                           const std::string& queue) {
  const Rows found = RT_TRY(connection.query(
      fmt::format("select exists (select from {}.queue where name = $1)", schema.at()), {queue},
      fmt::format("cannot look up queue \"{}\"", queue)));
  return found.text(0, 0) == "t";
}

Result<std::optional<JobRow>> read_job_run(Connection& connection, const TableName& table,
                                           const std::string& id) {
  std::string columns;
  for (const std::string_view column : kJobColumns) {
    columns.append(columns.empty() ? "" : ", ").append(column);
  }
  const Rows rows = RT_TRY(
      connection.query(fmt::format("select {} from {} where id = $1", columns, table.quoted()),
                       {id}, fmt::format("cannot look up job {}", id)));
  if (rows.size() == 0) return std::nullopt;
  return read_job_row(rows, 0);
}

}  // namespace rt
