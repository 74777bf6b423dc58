#include "pg/job_change.h"

#include <fmt/format.h>

#include "pg/job_lookup.h"

namespace rt {
namespace {

constexpr int kUpsertVersion = 46;  // job.upsert_by_key, queue.retained_count

// $1 the queue, $2 the id: both are in the key. The state is asked for again, because a worker may
// have been faster.
std::string cancel_sql(const JobSchema& schema) {
  return fmt::format(
      "update {}.job set state = 'cancelled', completed_on = now() "
      "where name = $1 and id = $2::uuid and state < 'completed'",
      schema.at());
}

// It waits from now on, not since it was sent first.
std::string retry_sql(const JobSchema& schema) {
  return fmt::format(
      "update {}.job set state = 'retry', retry_limit = retry_limit + 1, completed_on = null, "
      "start_after = greatest(start_after, now()) "
      "where name = $1 and id = $2::uuid and state = 'failed'",
      schema.at());
}

// The queue's own count of what it keeps goes down by what it held.
std::string resume_sql(const JobSchema& schema) {
  if (schema.version < kUpsertVersion) {
    return fmt::format(
        "update {}.job set state = 'created', completed_on = null, "
        "start_after = greatest(start_after, now()) "
        "where name = $1 and id = $2::uuid and state = 'cancelled'",
        schema.at());
  }
  return fmt::format(
      "with held as (select id, completed_on from {0}.job "
      "where name = $1 and id = $2::uuid and state = 'cancelled'), "
      "counted as (update {0}.queue q set retained_count = greatest(q.retained_count - 1, 0) "
      "from held where q.name = $1 and held.completed_on <= q.retained_on) "
      "update {0}.job j set state = 'created', completed_on = null, upsert_by_key = null, "
      "start_after = greatest(j.start_after, now()) from held "
      "where j.name = $1 and j.id = held.id and j.state = 'cancelled'",
      schema.at());
}

}  // namespace

Result<void> change_job(Connection& connection, const JobSchema& schema, const std::string& id,
                        JobChange change) {
  const bool cancel = change == JobChange::cancel;
  const std::string attempt = fmt::format("cannot {} job {}", cancel ? "cancel" : "retry", id);
  RT_CHECKED(schema.require_writable(attempt, connection));
  const std::optional<FoundJob> job = RT_TRY(find_job(connection, schema, id));
  if (!job) {
    return fail(Code::refused,
                fmt::format("{} on {}: there is no such job", attempt, connection.endpoint()),
                "\"rtctl jobs list\" shows those there are");
  }
  const bool cancelled = job->state == "cancelled";
  const std::string sql = cancel      ? cancel_sql(schema)
                          : cancelled ? resume_sql(schema)
                                      : retry_sql(schema);
  const auto done = connection.query(sql, {job->row.task_id, id}, attempt);
  if (!done) {
    Error error = done.error();
    const bool no_room = error.text.find("(23505)") != std::string::npos;  // unique_violation
    if (no_room) {
      return fail(Code::negative, attempt + ": its queue's policy has no room for it",
                  "a job with the same key waits or runs already");
    }
    return fail(std::move(error));
  }
  if (done->affected() > 0) return {};
  return fail(Code::negative, fmt::format("{}: it is {}", attempt, job->state),
              cancel ? "only a job that has not ended can be cancelled"
                     : "only a failed or cancelled job can be retried");
}

}  // namespace rt
