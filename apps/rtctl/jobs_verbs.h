// The verbs of `rtctl jobs`, one file each.
#pragma once

#include "cli/tool.h"

namespace rt::rtctl {

void add_jobs_cancel(cli::Tool& tool, CLI::App* jobs);
void add_jobs_list(cli::Tool& tool, CLI::App* jobs);
void add_jobs_retry(cli::Tool& tool, CLI::App* jobs);
void add_jobs_schedule(cli::Tool& tool, CLI::App* jobs);
void add_jobs_send(cli::Tool& tool, CLI::App* jobs);
void add_jobs_setup(cli::Tool& tool, CLI::App* jobs);
void add_jobs_stats(cli::Tool& tool, CLI::App* jobs);
void add_jobs_status(cli::Tool& tool, CLI::App* jobs);
void add_jobs_watch(cli::Tool& tool, CLI::App* jobs);

}  // namespace rt::rtctl
