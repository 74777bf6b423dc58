// rtctl jobs cancel ID...: jobs that are not to run, or whose end nobody waits for.
#include <memory>
#include <vector>

#include "pg/job_change.h"
#include "rtctl/jobs_flags.h"
#include "rtctl/jobs_output.h"
#include "rtctl/jobs_verbs.h"

namespace rt::rtctl {
namespace {

struct JobsCancel : JobsFlags {
  std::vector<std::string> ids;
};

Result<int> run(const JobsCancel& flags) {
  JobsAccess jobs = RT_TRY(open_jobs(flags));
  for (const std::string& id : flags.ids) {
    RT_CHECKED(change_job(jobs.connection, jobs.schema, id, JobChange::cancel));
    RT_TRY(print("cancelled " + id + "\n"));
  }
  return 0;
}

}  // namespace

void add_jobs_cancel(cli::Tool& tool, CLI::App* jobs) {
  auto flags = std::make_shared<JobsCancel>();
  CLI::App* verb =
      tool.verb(jobs, "cancel", "Cancel jobs that have not ended", [flags] { return run(*flags); });
  verb->add_option("id", flags->ids, "The jobs, one after the other")->type_name("ID")->required();
  declare_jobs(verb, *flags);
  cli::Tool::examples(verb,
                      "  rtctl jobs cancel \"$id\"\n"
                      "  rtctl jobs list email --state pending --format ndjson | jq -r .id | xargs "
                      "rtctl jobs cancel\n"
                      "exit status: 0 cancelled, 1 one has ended already, 4 no such job");
}

}  // namespace rt::rtctl
