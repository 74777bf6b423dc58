// One job as clients see it: a row of the table job_runs, and its JSON. Camel-case keys in table
// order, dates as JavaScript writes them ("2026-03-29T00:30:00.123Z").
// Sans-IO, no state: thread-safe. Source: the jobs stream of pg-boss front ends (docs/jobs.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rt {

// The columns of job_runs, in order; the members of JobRow are theirs.
inline constexpr std::array<std::string_view, 9> kJobColumns = {
    "id",    "task_id",    "status",       "payload",   "result",
    "error", "started_at", "completed_at", "created_at"};

struct JobRow {
  std::string id;
  std::string task_id;                       // the queue
  std::string status;                        // pending, active, completed, failed
  std::optional<std::string> payload;        // JSON
  std::optional<std::string> result;         // JSON; of a completed job
  std::optional<std::string> error;          // of a failed job, or of the attempt before
  std::optional<std::int64_t> started_us{};  // Unix microseconds
  std::optional<std::int64_t> completed_us{};
  std::optional<std::int64_t> created_us{};

  // It stays as it is, unless somebody retries it.
  bool ended() const { return status == "completed" || status == "failed"; }
  friend bool operator==(const JobRow&, const JobRow&) = default;
};

// Sets the member that belongs to a column from PostgreSQL's text of its value, nullopt for NULL; a
// column that is none of kJobColumns changes nothing.
void set_job_column(JobRow& row, std::string_view column, std::optional<std::string_view> value);

// {"id":"...","taskId":"mail","status":"active","payload":{...},"result":null,"error":null,
// "startedAt":"...","completedAt":null,"createdAt":"..."}, on one line.
void append_job_json(std::string& out, const JobRow& row);
std::string job_json(const JobRow& row);

}  // namespace rt
