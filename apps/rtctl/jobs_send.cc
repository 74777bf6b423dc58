// rtctl jobs send QUEUE JSON: one more job; its id alone on standard output.
#include <memory>

#include "rtctl/jobs_flags.h"
#include "rtctl/jobs_output.h"
#include "rtctl/jobs_verbs.h"

namespace rt::rtctl {
namespace {

struct JobsSend : JobsFlags {
  std::string queue;
  std::string data;
  JobOptions options;
};

Result<int> run(const JobsSend& flags) {
  if (flags.queue.empty()) return fail(Code::usage, "the queue's name is empty");
  NewJob job = RT_TRY(new_job(flags.queue, flags.options));
  if (!flags.data.empty()) job.data = RT_TRY(json_argument(flags.data));
  JobsAccess jobs = RT_TRY(open_jobs(flags));
  const JobQueue queue = RT_TRY(JobQueue::open(jobs.connection, flags.schema));
  return print(RT_TRY(queue.send(jobs.connection, job)) + "\n");
}

}  // namespace

void add_jobs_send(cli::Tool& tool, CLI::App* jobs) {
  auto flags = std::make_shared<JobsSend>();
  CLI::App* verb = tool.verb(jobs, "send", "Send a job to a queue; print its id",
                             [flags] { return run(*flags); });
  verb->add_option("queue", flags->queue, "The queue; it must be there")
      ->type_name("QUEUE")
      ->required();
  verb->add_option("json", flags->data, "What the job is given; -: standard input")
      ->type_name("JSON");
  declare_jobs(verb, *flags);
  declare_job_options(verb, flags->options, "Job");
  cli::Tool::examples(
      verb,
      "  id=$(rtctl jobs send email '{\"to\":\"a@example.com\"}')\n"
      "  rtctl jobs send report --start-after 15m --priority 5 - < report.json\n"
      "exit status: 0 sent, 1 no room by the queue's policy, 2 no JSON, 4 no such queue");
}

}  // namespace rt::rtctl
