#include "pg/job_queue.h"

#include <fmt/format.h>

#include <array>

#include "pg/names.h"

namespace rt {
namespace {

constexpr int kSchemaNotify = 32;  // 12.21: queue.notify

// Settings that a job copies from its queue, where both have the column.
constexpr std::array<std::string_view, 9> kSettings = {
    "policy",      "retry_limit",    "retry_delay",      "retry_backoff",    "retry_delay_max",
    "dead_letter", "expire_seconds", "deletion_seconds", "heartbeat_seconds"};

// What the library makes of a queue whose settings are NULL (10.4, insertJob).
struct Column {
  std::string_view name;
  std::string_view value;
};
constexpr std::array<Column, 7> kColumns10 = {
    {{"policy", "q.policy"},
     {"dead_letter", "q.dead_letter"},
     {"retry_limit", "coalesce(q.retry_limit, 2)"},
     {"retry_backoff", "coalesce(q.retry_backoff, false)"},
     {"retry_delay",
      "case when q.retry_backoff then greatest(coalesce(q.retry_delay, 0), 1) "
      "else coalesce(q.retry_delay, 0) end"},
     {"expire_in", "coalesce(q.expire_seconds, 900) * interval '1 second'"},
     {"keep_until", "timing.due + coalesce(q.retention_minutes, 20160) * interval '1 minute'"}}};

// $1 queue, $2 data, $3 priority, $4 start after, $5 singleton key. One row: the id or NULL, and
// whether there is such a queue.
std::string send_sql(const Connection& connection, const std::string& schema, int version,
                     const Rows& settings, bool start_is_interval) {
  std::string names;
  std::string values;
  const auto add = [&](std::string_view name, std::string_view value) {
    names.append(", ").append(name);
    values.append(", ").append(value);
  };
  if (version == kJobSchema10) {
    for (const Column& column : kColumns10) add(column.name, column.value);
  } else {
    for (int i = 0; i < settings.size(); ++i) {
      const std::string name(settings.text(i, 0));
      add(name, "q." + name);
    }
    add("keep_until", "timing.due + q.retention_seconds * interval '1 second'");
  }
  const std::string start =
      start_is_interval ? "now() + $4::interval" : "coalesce($4::timestamptz, now())";
  // Sent once a statement, and only for what can run now: as the library does it. A hint: workers
  // poll anyway.
  const std::string notify =
      version < kSchemaNotify
          ? std::string()
          : fmt::format(
                ", (select pg_notify('pgboss_' || left(encode(sha224(convert_to({}, 'UTF8')), "
                "'hex'), 24), "
                "q.name) from q, job where q.notify and job.start_after <= now())",
                connection.literal(schema));
  const std::string at = quote_identifier(schema);
  return fmt::format(
      "with q as (select * from {0}.queue where name = $1), "
      "job as (insert into {0}.job (name, data, priority, start_after, singleton_key{1}) "
      "select q.name, $2::jsonb, $3::int, timing.due, $5{2} "
      "from q, (select {3} as due) as timing on conflict do nothing returning id, start_after) "
      "select (select id from job), exists (select from q){4}",
      at, names, values, start, notify);
}

}  // namespace

Result<JobQueue> JobQueue::open(Connection& connection, const std::string& schema) {
  const std::string attempt = fmt::format("cannot read pg-boss in schema \"{}\"", schema);
  const JobSchema found = RT_TRY(JobSchema::read(connection, schema));
  RT_CHECKED(found.require_writable(attempt, connection));
  const std::string at = found.at();
  JobQueue queue;
  queue.schema_ = schema;
  queue.version_ = found.version;
  std::string wanted = "{";
  for (const std::string_view name : kSettings) wanted.append(name).append(",");
  wanted.back() = '}';
  const Rows settings = RT_TRY(connection.query(
      "select j.attname from pg_attribute j join pg_attribute q using (attname) "
      "where j.attrelid = to_regclass($1) and q.attrelid = to_regclass($2) "
      "and j.attname = any ($3::name[]) and not j.attisdropped and not q.attisdropped "
      "order by j.attnum",
      {at + ".job", at + ".queue", wanted}, attempt));
  for (const bool interval : {false, true}) {
    queue.send_sql_[interval ? 1 : 0] =
        send_sql(connection, schema, queue.version_, settings, interval);
  }
  return queue;
}

Result<std::string> JobQueue::send(Connection& connection, const NewJob& job) const {
  const std::string attempt = fmt::format("cannot send a job to queue \"{}\"", job.queue);
  const Parameters values = {job.queue, job.data, std::to_string(job.priority), job.start_after,
                             job.singleton_key};
  const std::string& sql = send_sql_[job.start_is_interval ? 1 : 0];
  const Rows row = RT_TRY(connection.query(sql, values, attempt));
  if (row.text(0, 1) != "t") {
    return fail(Code::refused,
                fmt::format("{} on {}: there is no such queue", attempt, connection.endpoint()),
                "create it where pg-boss runs: boss.createQueue(name)");
  }
  if (!row.value(0, 0)) {
    return fail(Code::negative, fmt::format("{}: its policy has no room for it", attempt),
                "a job with the same key waits or runs already");
  }
  return std::string(row.text(0, 0));
}

}  // namespace rt
