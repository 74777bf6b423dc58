#include "pg/job_runs.h"

#include <fmt/format.h>

#include <array>
#include <functional>

#include "base/text.h"
#include "pg/job_row_sql.h"
#include "pg/job_runs_table.h"

namespace rt {
namespace {

constexpr std::string_view kFunction = "rt_job_runs";

struct Trigger {
  const char* name;
  const char* event;
  const char* when;
};
// A heartbeat and what else pg-boss keeps for itself does not call the function.
constexpr std::array<Trigger, 3> kTriggers = {{
    {"rt_job_runs_insert", "insert", "not starts_with(new.name, '__pgboss__')"},
    {"rt_job_runs_update", "update",
     "not starts_with(new.name, '__pgboss__') and "
     "(old.state, old.data, old.output, old.started_on, old.completed_on, old.created_on) is "
     "distinct from "
     "(new.state, new.data, new.output, new.started_on, new.completed_on, new.created_on)"},
    {"rt_job_runs_delete", "delete",
     "not starts_with(old.name, '__pgboss__') and old.state < 'completed'"},
}};

// "id, task_id, ..."
std::string column_list() {
  std::string list;
  for (const std::string_view column : kJobColumns) {
    list.append(list.empty() ? "" : ", ").append(column);
  }
  return list;
}

// The expressions, each as its column takes it: timestamps without a zone hold UTC.
std::string value_list(std::string_view row, const JobRunsTypes& types) {
  std::string list;
  const auto expressions = job_row_sql(row);
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    const bool zoneless = types[i] == "timestamp without time zone";
    list.append(list.empty() ? "" : ", ");
    list.append(zoneless ? fmt::format("({}) at time zone 'UTC'", expressions[i]) : expressions[i]);
  }
  return list;
}

// Nothing is written, and nobody told, where nothing changed.
std::string on_conflict() {
  std::string assignments;
  std::string before;
  std::string after;
  for (const std::string_view column : kJobColumns) {
    if (column == "id") continue;
    const char* separator = assignments.empty() ? "" : ", ";
    assignments.append(fmt::format("{0}{1} = excluded.{1}", separator, column));
    before.append(fmt::format("{}r.{}", separator, column));
    after.append(fmt::format("{}excluded.{}", separator, column));
  }
  return fmt::format("on conflict (id) do update set {} where ({}) is distinct from ({})",
                     assignments, before, after);
}

std::string now_sql(const JobRunsTypes& types) {
  constexpr std::size_t kCompletedAt = 7;
  static_assert(kJobColumns[kCompletedAt] == "completed_at");
  return types[kCompletedAt] == "timestamp without time zone" ? "now() at time zone 'UTC'"
                                                              : "now()";
}

// Runs as its owner: workers need no rights on the table.
std::string function_body(const JobSchema& schema, const TableName& table,
                          const JobRunsTypes& types) {
  return fmt::format(
      "\nbegin\n"
      "  if tg_op = 'DELETE' then\n"
      "    if exists (select from {0}.job where name = old.name and id = old.id) then\n"
      "      return null;\n"
      "    end if;\n"
      "    update {1} set status = 'failed', error = '{2}', completed_at = {3}\n"
      "    where id = old.id::text and status in ('pending', 'active');\n"
      "    return null;\n"
      "  end if;\n"
      "  insert into {1} as r ({4})\n"
      "  values ({5})\n"
      "  {6};\n"
      "  return null;\n"
      "end\n",
      schema.at(), table.quoted(), kJobDeleted, now_sql(types), column_list(),
      value_list("new", types), on_conflict());
}

class JobRuns {
 public:
  JobRuns(Connection& connection, const JobSchema& schema, const TableName& table,
          const OnSetupStep& on_step)
      : connection_(connection), schema_(schema), table_(table), on_step_(on_step) {}

  Result<void> ensure_table() {
    const Rows found = RT_TRY(connection_.query("select to_regclass($1) is null", {table_.quoted()},
                                                "cannot look up job_runs"));
    const bool create = found.text(0, 0) == "t";
    if (create) RT_CHECKED(create_job_runs(connection_, table_));
    types_ = RT_TRY(check_job_runs(connection_, table_));
    report("table " + table_.text(), create);
    return {};
  }

  Result<void> ensure_triggers() {
    const std::string body = function_body(schema_, table_, types_);
    const bool change = !RT_TRY(triggers_stand(body));
    if (change) RT_CHECKED(create_triggers(body));
    report(fmt::format("triggers on {}.job", schema_.name), change);
    return {};
  }

  // One transaction with the triggers, which keep out every other writer until it ends: what was
  // there before them and what came after them meet without a seam.
  Result<void> fill() {
    std::string archived;
    if (schema_.has_archive()) {
      archived =
          fmt::format(" union all select {} from {}.archive j where {} and j.state >= 'completed'",
                      kSource, schema_.at(), kOwn);
    }
    const Rows filled = RT_TRY(connection_.query(
        fmt::format("insert into {0} as r ({1}) select {2} from (select {3} from {4}.job j "
                    "where {5}{6}) j {7}",
                    table_.quoted(), column_list(), value_list("j", types_), kSource, schema_.at(),
                    kOwn, archived, on_conflict()),
        fmt::format("cannot fill table {}", table_.text())));
    const Rows ended = RT_TRY(connection_.query(
        fmt::format("update {0} r set status = 'failed', error = '{1}', completed_at = {2} "
                    "where status in ('pending', 'active') and not exists "
                    "(select from {3}.job j where j.id::text = r.id)",
                    table_.quoted(), kJobDeleted, now_sql(types_), schema_.at()),
        fmt::format("cannot correct table {}", table_.text())));
    const std::uint64_t count = filled.affected() + ended.affected();
    report(count > 0 ? fmt::format("rows of {} jobs", count) : "a row of each job", count > 0);
    return {};
  }

 private:
  static constexpr const char* kSource =
      "j.id, j.name, j.state, j.data, j.output, j.started_on, j.completed_on, j.created_on";
  static constexpr const char* kOwn = "not starts_with(j.name, '__pgboss__')";

  void report(std::string text, bool changed) {
    if (on_step_) on_step_({std::move(text), changed});
  }

  Result<bool> triggers_stand(const std::string& body) {
    std::string names = "{";
    for (const Trigger& trigger : kTriggers) names.append(trigger.name).append(",");
    names.back() = '}';
    const Rows rows = RT_TRY(connection_.query(
        "select count(*) from pg_trigger t join pg_proc p on p.oid = t.tgfoid "
        "where t.tgrelid = to_regclass($1) and t.tgname = any ($2::name[]) "
        "and t.tgenabled in ('O', 'A') and p.prosrc = $3",
        {schema_.at() + ".job", names, body}, "cannot look up the triggers of pg-boss"));
    return rows.text(0, 0) == std::to_string(kTriggers.size());
  }

  Result<void> create_triggers(const std::string& body) {
    const std::string function = fmt::format("{}.{}()", schema_.at(), kFunction);
    std::string sql = fmt::format(
        "create or replace function {} returns trigger language plpgsql security definer "
        "set search_path = pg_catalog, pg_temp as {};",
        function, connection_.literal(body));
    for (const Trigger& trigger : kTriggers) {
      sql.append(
          fmt::format("drop trigger if exists {0} on {1}.job;"
                      "create trigger {0} after {2} on {1}.job for each row when ({3}) "
                      "execute function {4};",
                      trigger.name, schema_.at(), trigger.event, trigger.when, function));
    }
    return connection_.exec(sql, fmt::format("cannot create triggers on {}.job", schema_.name));
  }

  Connection& connection_;
  const JobSchema& schema_;
  const TableName& table_;
  const OnSetupStep& on_step_;
  JobRunsTypes types_;
};

// A job table that somebody else has locked for so long is not waited for: all of pg-boss would
// queue up behind.
constexpr const char* kBegin = "begin; set local lock_timeout = '10s'";

Result<void> in_transaction(Connection& connection, const std::function<Result<void>()>& work) {
  RT_CHECKED(connection.exec(kBegin, "cannot begin a transaction"));
  Result<void> done = work();
  if (done) return connection.exec("commit", "cannot commit");
  // Its own error matters, not that of a connection which may be gone.
  (void)connection.exec("rollback", "cannot roll back");
  return done;
}

}  // namespace

Result<void> set_up_job_runs(Connection& connection, const JobSchema& schema,
                             const TableName& table, const OnSetupStep& on_step) {
  RT_CHECKED(schema.require_writable("cannot follow the jobs of pg-boss", connection));
  JobRuns runs(connection, schema, table, on_step);
  return in_transaction(connection, [&]() -> Result<void> {
    RT_CHECKED(runs.ensure_table());
    RT_CHECKED(
        connection.exec(fmt::format("lock table {}.job in share row exclusive mode", schema.at()),
                        fmt::format("cannot lock {}.job", schema.name)));
    RT_CHECKED(runs.ensure_triggers());
    return runs.fill();
  });
}

Result<void> remove_job_runs_triggers(Connection& connection, const JobSchema& schema,
                                      const OnSetupStep& on_step) {
  RT_CHECKED(schema.require_writable("cannot remove the triggers", connection));
  return in_transaction(connection, [&]() -> Result<void> {
    std::string sql;
    for (const Trigger& trigger : kTriggers) {
      sql.append(fmt::format("drop trigger if exists {} on {}.job;", trigger.name, schema.at()));
    }
    sql.append(fmt::format("drop function if exists {}.{}()", schema.at(), kFunction));
    RT_CHECKED(connection.exec(sql, "cannot remove the triggers"));
    if (on_step) on_step({fmt::format("triggers on {}.job", schema.name), true});
    return {};
  });
}

}  // namespace rt
