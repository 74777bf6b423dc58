// rtctl jobs setup: the table job_runs, what keeps it true, and its way into the WAL streams.
#include <cstdio>
#include <memory>

#include "pg/job_runs.h"
#include "pg/setup.h"
#include "rtctl/jobs_flags.h"
#include "rtctl/jobs_verbs.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

struct JobsSetup : JobsFlags {
  std::string table = "job_runs";
  std::string publication{kDefaultPublication};
  bool remove = false;
};

Result<int> run(const JobsSetup& flags) {
  const TableName table = RT_TRY(parse_table_name(flags.table));
  JobsAccess jobs = RT_TRY(open_jobs(flags));
  const char* changed = flags.remove ? "removed" : "created";
  const auto on_step = [&](const SetupStep& step) {
    std::printf("%-8s %s\n", step.changed ? changed : "ok", step.text.c_str());
    std::fflush(stdout);
  };
  if (flags.remove) {
    RT_CHECKED(remove_job_runs_triggers(jobs.connection, jobs.schema, on_step));
    return 0;
  }
  RT_CHECKED(check_logical_wal(jobs.connection));
  RT_CHECKED(set_up_job_runs(jobs.connection, jobs.schema, table, on_step));
  RT_CHECKED(ensure_full_identity(jobs.connection, table, on_step));
  RT_CHECKED(ensure_publication(jobs.connection, flags.publication, {table},
                                /*all_operations=*/true, on_step));
  return 0;
}

}  // namespace

void add_jobs_setup(cli::Tool& tool, CLI::App* jobs) {
  auto flags = std::make_shared<JobsSetup>();
  CLI::App* verb =
      tool.verb(jobs, "setup", "Keep a table of every job's status, for streams and queries",
                [flags] { return run(*flags); });
  declare_jobs(verb, *flags);
  verb->add_option("--table", flags->table, "The table of jobs; made if missing")
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_option("--publication", flags->publication, "The publication it is added to")
      ->type_name("NAME")
      ->envname("PUBLICATION_NAME")
      ->capture_default_str();
  verb->add_flag("--remove", flags->remove, "Take the triggers away again; the table stays");
  cli::Tool::examples(
      verb,
      "  rtctl jobs setup --pg postgresql://localhost/app\n"
      "  rtctl jobs setup --pg service=app --remove         workers write job_runs no more");
}

}  // namespace rt::rtctl
