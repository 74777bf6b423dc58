// rtctl jobs schedule QUEUE CRON JSON: jobs at times that pg-boss keeps.
#include <fmt/format.h>

#include <memory>

#include "pg/cron_check.h"
#include "pg/job_schedule.h"
#include "rtctl/jobs_flags.h"
#include "rtctl/jobs_output.h"
#include "rtctl/jobs_verbs.h"

namespace rt::rtctl {
namespace {

struct JobsSchedule : JobsFlags {
  JobSchedule schedule;
  std::string data;
};

Result<int> run(const JobsSchedule& flags) {
  JobSchedule schedule = flags.schedule;
  if (schedule.queue.empty()) return fail(Code::usage, "the queue's name is empty");
  RT_CHECKED(check_cron(schedule.cron));
  if (!flags.data.empty()) schedule.data = RT_TRY(json_argument(flags.data));
  JobsAccess jobs = RT_TRY(open_jobs(flags));
  const bool created = RT_TRY(write_job_schedule(jobs.connection, jobs.schema, schedule));
  return print(fmt::format("{} {} {} ({})\n", created ? "scheduled" : "rescheduled", schedule.queue,
                           schedule.cron, schedule.time_zone));
}

}  // namespace

void add_jobs_schedule(cli::Tool& tool, CLI::App* jobs) {
  auto flags = std::make_shared<JobsSchedule>();
  CLI::App* verb = tool.verb(jobs, "schedule", "Let pg-boss send a job again and again",
                             [flags] { return run(*flags); });
  verb->add_option("queue", flags->schedule.queue, "The queue; it must be there")
      ->type_name("QUEUE")
      ->required();
  verb->add_option("cron", flags->schedule.cron, "MINUTE HOUR DAY MONTH WEEKDAY")
      ->type_name("CRON")
      ->required();
  verb->add_option("json", flags->data, "What each job is given; -: standard input")
      ->type_name("JSON");
  verb->add_option("--tz", flags->schedule.time_zone, "Time zone of the expression")
      ->type_name("TZ")
      ->capture_default_str();
  verb->add_option("--key", flags->schedule.key,
                   "Tells several schedules of a queue apart (pg-boss 11 and later)")
      ->type_name("KEY");
  declare_jobs(verb, *flags);
  cli::Tool::examples(
      verb,
      "  rtctl jobs schedule report '0 7 * * mon-fri' '{\"to\":\"all\"}' --tz Europe/Berlin\n"
      "  rtctl jobs schedule ingest '*/5 * * * *'    one of pg-boss's instances must have\n"
      "                                              scheduling on\n"
      "exit status: 0 written, 2 no cron expression or time zone, 4 no such queue");
}

}  // namespace rt::rtctl
