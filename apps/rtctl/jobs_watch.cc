// rtctl jobs watch ID: what becomes of a job, until it ends. Pushed: by a server (--url), or
// straight from PostgreSQL through a temporary replication slot on the table of jobs.
#include <fmt/format.h>

#include <memory>
#include <stop_token>

#include "base/text.h"
#include "base/units.h"
#include "cli/environment.h"
#include "cli/http_flags.h"
#include "cli/stop_watch.h"
#include "rtctl/job_follower.h"
#include "rtctl/jobs_flags.h"
#include "rtctl/jobs_output.h"
#include "rtctl/jobs_verbs.h"
#include "rtctl/server_urls.h"
#include "rtctl/sse_stream.h"
#include "rtctl/verbs.h"
#include "rtctl/wal_stream.h"

namespace rt::rtctl {
namespace {

struct JobsWatch : JobsFlags {
  std::string id;
  std::string url;
  std::string table = "job_runs";
  std::string publication{kDefaultPublication};
  std::string timeout;
  std::string format = "text";
  cli::HttpFlags http;

  bool as_json() const { return format != "text"; }
  // Who names neither, and whose environment names no database, means the server.
  bool by_server() const { return !url.empty() || (jobs_dsn(*this).empty()); }
};

Result<int> outcome(const JobFollower& follower, const cli::StopWatch& watch,
                    const std::string& id) {
  if (follower.failure()) return fail(*follower.failure());
  if (follower.last() && follower.last()->ended()) {
    if (follower.last()->status == "completed") return 0;
    return fail(Code::negative,
                fmt::format("job {} failed: {}", id, follower.last()->error.value_or("unknown")),
                "\"rtctl jobs retry\" runs it again");
  }
  if (watch.cause() == cli::StopCause::interrupted) return watch.signal_status();
  if (watch.cause() == cli::StopCause::reader_gone) return 0;
  return fail(Code::negative, fmt::format("job {} has not ended in time", id));
}

Result<int> watch_server(const JobsWatch& flags, const cli::StopWatch& watch) {
  std::string server = flags.url.empty() ? cli::first_set({"RT_URL"}) : flags.url;
  if (server.empty()) server = kDefaultUrl;
  SseOptions options;
  options.http = RT_TRY(flags.http.options());
  const auto stream = open_sse_stream(RT_TRY(job_url(server, flags.id)), std::move(options));
  StreamFollower follower(flags.id, flags.as_json());
  RT_TRY(stream->run(follower, watch.token()));
  return outcome(follower, watch, flags.id);
}

Result<ChangeFollower::Now> look(Connection& connection, const TableName& table,
                                 const std::string& id) {
  // First how far the log is, then the row: all that was committed until then is in it.
  const Rows end = RT_TRY(connection.query("select pg_current_wal_insert_lsn()",
                                           "cannot read the position of the log"));
  ChangeFollower::Now now;
  now.seen = Position{parse_lsn(end.text(0, 0)).value_or(0), Position::kEnd};
  now.row = RT_TRY(read_job_run(connection, table, id));
  return now;
}

Result<ChangeFollower::Now> look_first(const JobsWatch& flags, const TableName& table) {
  JobsAccess jobs = RT_TRY(open_jobs(flags));
  const Rows there = RT_TRY(jobs.connection.query("select to_regclass($1) is not null",
                                                  {table.quoted()}, "cannot look up job_runs"));
  if (there.text(0, 0) != "t") {
    return fail(
        Code::refused,
        fmt::format("table {} does not exist on {}", table.text(), jobs.connection.endpoint()),
        "\"rtctl jobs setup\" creates it and keeps it");
  }
  auto now = RT_TRY(look(jobs.connection, table, flags.id));
  if (now.row) return now;
  return fail(Code::refused,
              fmt::format("there is no job {} in {} on {}", flags.id, table.text(),
                          jobs.connection.endpoint()),
              "\"rtctl jobs list\" shows the jobs, \"rtctl jobs setup\" enters them");
}

Result<int> watch_database(const JobsWatch& flags, const cli::StopWatch& watch) {
  const TableName table = RT_TRY(parse_table_name(flags.table));
  const std::string dsn = jobs_dsn(flags);
  std::stop_source stop;
  const std::stop_callback forward(watch.token(), [&stop] { stop.request_stop(); });
  ChangeFollower follower(
      flags.id, flags.as_json(),
      [&]() -> Result<ChangeFollower::Now> {
        Connection connection =
            RT_TRY(Connection::connect(dsn, {.application_name = "rtctl jobs"}));
        return look(connection, table, flags.id);
      },
      [&stop] { stop.request_stop(); });
  const ChangeFollower::Now first = RT_TRY(look_first(flags, table));
  if (!follower.show(*first.row)) return outcome(follower, watch, flags.id);
  WalStreamOptions options;
  options.dsn = dsn;
  options.publication = flags.publication;
  options.tables = {flags.table};
  const auto stream = RT_TRY(open_wal_stream(options));
  RT_TRY(stream->run(follower, stop.get_token()));
  return outcome(follower, watch, flags.id);
}

Result<int> run(const JobsWatch& flags) {
  if (!flags.url.empty() && !flags.dsn.empty()) {
    return fail(Code::usage, "--url and --pg are two ways to one job: name one");
  }
  cli::StopWatch::Options limits;
  limits.watch_output = true;
  if (!flags.timeout.empty()) limits.time_max = RT_TRY(parse_duration(flags.timeout));
  const auto watch = RT_TRY(cli::StopWatch::start(limits));
  return flags.by_server() ? watch_server(flags, *watch) : watch_database(flags, *watch);
}

}  // namespace

void add_jobs_watch(cli::Tool& tool, CLI::App* jobs) {
  auto flags = std::make_shared<JobsWatch>();
  CLI::App* verb =
      tool.verb(jobs, "watch", "Follow one job until it ends", [flags] { return run(*flags); });
  verb->add_option("id", flags->id, "The job")->type_name("ID")->required();
  verb->add_option("-u,--url", flags->url,
                   "Through this server; else through a temporary slot of --pg, else RT_URL")
      ->type_name("URL");
  declare_jobs(verb, *flags);
  verb->add_option("--table", flags->table, "The table of jobs (--pg)")
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_option("--publication", flags->publication, "The publication it is in (--pg)")
      ->type_name("NAME")
      ->envname("PUBLICATION_NAME")
      ->capture_default_str();
  verb->add_option("--timeout", flags->timeout, "Give up after that long")->type_name("TIME");
  declare_jobs_format(verb, flags->format);
  flags->http.declare(verb);
  cli::Tool::examples(
      verb,
      "  rtctl jobs watch \"$(rtctl jobs send email '{}')\" && echo sent\n"
      "  rtctl jobs watch \"$id\" --url http://127.0.0.1:8080 --format json | jq .status\n"
      "exit status: 0 completed, 1 failed or not ended in time, 4 no such job");
}

}  // namespace rt::rtctl
