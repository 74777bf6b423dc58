// rtctl jobs retry ID...: failed or cancelled jobs, once more.
#include <memory>
#include <vector>

#include "pg/job_change.h"
#include "rtctl/jobs_flags.h"
#include "rtctl/jobs_output.h"
#include "rtctl/jobs_verbs.h"

namespace rt::rtctl {
namespace {

struct JobsRetry : JobsFlags {
  std::vector<std::string> ids;
};

Result<int> run(const JobsRetry& flags) {
  JobsAccess jobs = RT_TRY(open_jobs(flags));
  for (const std::string& id : flags.ids) {
    RT_CHECKED(change_job(jobs.connection, jobs.schema, id, JobChange::retry));
    RT_TRY(print("retried " + id + "\n"));
  }
  return 0;
}

}  // namespace

void add_jobs_retry(cli::Tool& tool, CLI::App* jobs) {
  auto flags = std::make_shared<JobsRetry>();
  CLI::App* verb = tool.verb(jobs, "retry", "Run failed or cancelled jobs again",
                             [flags] { return run(*flags); });
  verb->add_option("id", flags->ids, "The jobs, one after the other")->type_name("ID")->required();
  declare_jobs(verb, *flags);
  cli::Tool::examples(verb,
                      "  rtctl jobs retry \"$id\"\n"
                      "  rtctl jobs list email --state failed --format ndjson | jq -r .id | xargs "
                      "rtctl jobs retry\n"
                      "exit status: 0 they wait again, 1 one has not ended badly, 4 no such job");
}

}  // namespace rt::rtctl
