// `rtctl serve`: the jobs surface, on the schema of pg-boss and its table of jobs.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "rtctl/serve_surface.h"

namespace rt::rtctl {

struct JobsSurfaceFlags {
  std::string schema = "pgboss";
  std::string table = "job_runs";
  std::string token_file;
};
void declare_jobs_surface(CLI::App* verb, JobsSurfaceFlags& flags);

// As far as no database needs to be asked.
Result<ServedSurface> inspect_jobs(const JobsSurfaceFlags& flags, const ServeContext& context);
// Unavailable, with the reason, where "rtctl jobs setup" was not run.
Result<ServedSurface> serve_jobs(const JobsSurfaceFlags& flags, const std::string& publication,
                                 const ServeContext& context);

}  // namespace rt::rtctl
