// rtctl jobs list [QUEUE]: the newest jobs.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "base/units.h"
#include "cli/terminal.h"
#include "rtctl/jobs_flags.h"
#include "rtctl/jobs_output.h"
#include "rtctl/jobs_verbs.h"

namespace rt::rtctl {
namespace {

struct JobsList : JobsFlags {
  std::string queue;
  std::vector<std::string> states;
  std::string limit = "50";
  std::string format = "text";
};

// pg-boss's words, and "pending" of the status streams.
Result<std::vector<std::string>> wanted_states(const std::vector<std::string>& words) {
  std::vector<std::string> states;
  for (const std::string& word : words) {
    if (word == "pending") {
      states.insert(states.end(), {"created", "retry"});
    } else if (std::find(kJobStates.begin(), kJobStates.end(), word) != kJobStates.end()) {
      states.push_back(word);
    } else {
      const auto near = nearest(word, kJobStates);
      return fail(Code::usage, fmt::format("there is no state \"{}\"", word),
                  near
                      ? fmt::format("did you mean {}?", *near)
                      : "states are created, retry, active, completed, cancelled, failed, pending");
    }
  }
  return states;
}

std::string job_table(const std::vector<FoundJob>& jobs) {
  Table table{{{"ID"}, {"QUEUE"}, {"STATE"}, {"RETRIES", true}, {"CREATED"}, {"ENDED"}, {"ERROR"}},
              {}};
  constexpr std::size_t kErrorMax = 60;  // the rest is for `jobs status`
  for (const FoundJob& job : jobs) {
    table.rows.push_back({job.row.id, job.row.task_id, job.state, std::to_string(job.retry_count),
                          short_time(job.row.created_us), short_time(job.row.completed_us),
                          job.row.error.value_or("").substr(0, kErrorMax)});
  }
  return table.text(cli::is_terminal(STDOUT_FILENO));
}

Result<int> run(const JobsList& flags) {
  JobListing listing;
  listing.queue = flags.queue;
  listing.states = RT_TRY(wanted_states(flags.states));
  listing.count_max = RT_TRY(parse_count(flags.limit));
  constexpr std::uint64_t kLimitMax = 100'000;  // they are held in memory
  if (listing.count_max > kLimitMax) return fail(Code::usage, "--limit is at most 100k jobs");
  JobsAccess jobs = RT_TRY(open_jobs(flags));
  if (!flags.queue.empty() && !RT_TRY(has_job_queue(jobs.connection, jobs.schema, flags.queue))) {
    return fail(
        Code::refused,
        fmt::format("there is no queue \"{}\" on {}", flags.queue, jobs.connection.endpoint()),
        "\"rtctl jobs stats\" shows those there are");
  }
  const auto found = RT_TRY(list_jobs(jobs.connection, jobs.schema, listing));
  if (flags.format == "text") return print(job_table(found));
  std::vector<std::string> objects;
  for (const FoundJob& job : found) objects.push_back(found_job_json(job));
  return print(json_lines(objects, flags.format));
}

}  // namespace

void add_jobs_list(cli::Tool& tool, CLI::App* jobs) {
  auto flags = std::make_shared<JobsList>();
  CLI::App* verb =
      tool.verb(jobs, "list", "List jobs, the newest first", [flags] { return run(*flags); });
  verb->add_option("queue", flags->queue, "Only of this queue")->type_name("QUEUE");
  verb->add_option("--state", flags->states,
                   "Only in this state (pending: created or retry); repeat for several")
      ->type_name("STATE")
      ->allow_extra_args(false)
      ->delimiter(',');
  verb->add_option("--limit", flags->limit, "At most so many")
      ->type_name("N")
      ->capture_default_str();
  declare_jobs(verb, *flags);
  declare_jobs_format(verb, flags->format);
  cli::Tool::examples(verb,
                      "  rtctl jobs list email --state failed\n"
                      "  rtctl jobs list --state pending --limit 1k --format ndjson | jq -r .id");
}

}  // namespace rt::rtctl
