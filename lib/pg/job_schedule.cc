#include "pg/job_schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "pg/cron_check.h"
#include "pg/job_lookup.h"

namespace rt {
namespace {

constexpr int kKindVersion = 41;  // schedule.kind: cron or rrule

// By its name, in the spelling of the zone database: pg-boss refuses abbreviations and offsets.
Result<std::string> time_zone(Connection& connection, const std::string& name) {
  const Rows found = RT_TRY(connection.query(
      "select name from pg_timezone_names where lower(name) = lower($1) "
      "and name !~ '^(posix|right)/' and name not in ('posixrules', 'localtime', 'Factory') "
      "limit 1",
      {name}, "cannot look up the time zone"));
  if (found.size() > 0) return std::string(found.text(0, 0));
  return fail(Code::usage, fmt::format("there is no time zone \"{}\"", name),
              "for example UTC, Europe/Berlin or America/New_York");
}

Result<void> check_key(const JobSchema& schema, const std::string& key) {
  if (key.empty()) return {};
  if (schema.version <= kJobSchema10) {
    return fail(Code::usage, "this version of pg-boss keeps one schedule a queue: it has no keys",
                "leave --key out");
  }
  const bool plain = std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-' || c == '/';
  });
  if (plain) return {};
  return fail(Code::usage,
              fmt::format("key \"{}\" has other characters than A-Z a-z 0-9 _ . - /", key));
}

// $1 queue, $2 cron, $3 time zone, $4 data, $5 options, $6 key. What the library writes: the zone
// twice, in its column and among the options.
std::string upsert_sql(const JobSchema& schema) {
  const bool keyed = schema.version > kJobSchema10;
  const bool kinds = schema.version >= kKindVersion;
  return fmt::format(
      "insert into {0}.schedule (name, cron, timezone, data, options{1}{2}) "
      "values ($1, $2, $3, $4::jsonb, $5::jsonb{3}{4}) on conflict (name{1}) do update set "
      "cron = excluded.cron, timezone = excluded.timezone, data = excluded.data, "
      "options = excluded.options{5}, updated_on = now() returning xmax = 0",
      schema.at(), keyed ? ", key" : "", kinds ? ", kind" : "", keyed ? ", $6" : "",
      kinds ? ", 'cron'" : "", kinds ? ", kind = excluded.kind" : "");
}

}  // namespace

Result<bool> write_job_schedule(Connection& connection, const JobSchema& schema,
                                const JobSchedule& schedule) {
  const std::string attempt = fmt::format("cannot schedule jobs for queue \"{}\"", schedule.queue);
  RT_CHECKED(check_cron(schedule.cron));
  RT_CHECKED(schema.require_writable(attempt, connection));
  RT_CHECKED(check_key(schema, schedule.key));
  const std::string zone = RT_TRY(time_zone(connection, schedule.time_zone));
  if (!RT_TRY(has_job_queue(connection, schema, schedule.queue))) {
    return fail(Code::refused,
                fmt::format("{} on {}: there is no such queue", attempt, connection.endpoint()),
                "create it where pg-boss runs: boss.createQueue(name)");
  }
  std::string options = fmt::format("{{\"tz\":\"{}\"", zone);  // names of zones need no escapes
  if (!schedule.key.empty()) options.append(fmt::format(",\"key\":\"{}\"", schedule.key));
  options.push_back('}');
  Parameters values = {schedule.queue, schedule.cron, zone, schedule.data, options};
  if (schema.version > kJobSchema10) values.emplace_back(schedule.key);
  const Rows row = RT_TRY(connection.query(upsert_sql(schema), values, attempt));
  return row.text(0, 0) == "t";
}

}  // namespace rt
