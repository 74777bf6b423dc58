// rtctl jobs: the table of its verbs.
#include <array>

#include "rtctl/jobs_verbs.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

using AddVerb = void (*)(cli::Tool& tool, CLI::App* jobs);
constexpr std::array<AddVerb, 9> kVerbs = {add_jobs_setup, add_jobs_send,     add_jobs_status,
                                           add_jobs_watch, add_jobs_list,     add_jobs_cancel,
                                           add_jobs_retry, add_jobs_schedule, add_jobs_stats};

}  // namespace

void add_jobs(cli::Tool& tool) {
  CLI::App* jobs = tool.group("jobs", "Send, watch and steer the jobs of pg-boss by SQL");
  for (const AddVerb add : kVerbs) add(tool, jobs);
}

}  // namespace rt::rtctl
