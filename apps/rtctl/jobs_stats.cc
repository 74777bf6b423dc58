// rtctl jobs stats [QUEUE]: how many jobs each queue holds in each state.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "base/units.h"
#include "cli/terminal.h"
#include "pg/job_stats.h"
#include "rtctl/jobs_flags.h"
#include "rtctl/jobs_output.h"
#include "rtctl/jobs_verbs.h"

namespace rt::rtctl {
namespace {

struct JobsStats : JobsFlags {
  std::string queue;
  std::string format = "text";
};

std::string stats_table(const std::vector<QueueStats>& queues) {
  Table table{{{"QUEUE"},
               {"CREATED", true},
               {"RETRY", true},
               {"ACTIVE", true},
               {"COMPLETED", true},
               {"CANCELLED", true},
               {"FAILED", true},
               {"OLDEST", true}},
              {}};
  for (const QueueStats& queue : queues) {
    std::vector<std::string> row = {queue.queue};
    for (const std::uint64_t count : queue.counts) row.push_back(std::to_string(count));
    row.push_back(queue.oldest_waiting_s
                      ? format_duration(std::chrono::seconds(*queue.oldest_waiting_s))
                      : "-");
    table.rows.push_back(std::move(row));
  }
  return table.text(cli::is_terminal(STDOUT_FILENO));
}

Result<int> run(const JobsStats& flags) {
  JobsAccess jobs = RT_TRY(open_jobs(flags));
  const auto queues = RT_TRY(job_stats(jobs.connection, jobs.schema, flags.queue));
  if (queues.empty() && !flags.queue.empty()) {
    return fail(Code::refused, fmt::format("there is no queue \"{}\" on {}", flags.queue,
                                           jobs.connection.endpoint()));
  }
  if (flags.format == "text") return print(stats_table(queues));
  std::vector<std::string> objects;
  for (const QueueStats& queue : queues) objects.push_back(queue_stats_json(queue));
  return print(json_lines(objects, flags.format));
}

}  // namespace

void add_jobs_stats(cli::Tool& tool, CLI::App* jobs) {
  auto flags = std::make_shared<JobsStats>();
  CLI::App* verb = tool.verb(jobs, "stats", "Count the jobs of each queue by state",
                             [flags] { return run(*flags); });
  verb->add_option("queue", flags->queue, "Only of this queue")->type_name("QUEUE");
  declare_jobs(verb, *flags);
  declare_jobs_format(verb, flags->format);
  cli::Tool::examples(verb,
                      "  rtctl jobs stats                             OLDEST: waits that long\n"
                      "  rtctl jobs stats email --format ndjson | jq .failed");
}

}  // namespace rt::rtctl
