// What the verbs of `rtctl jobs` share: which database, which schema, and how it is opened.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "pg/connection.h"
#include "pg/job_queue.h"
#include "pg/job_schema.h"

namespace rt::rtctl {

struct JobsFlags {
  std::string dsn;
  std::string schema = "pgboss";
};
void declare_jobs(CLI::App* verb, JobsFlags& flags);

// --pg, else the environment; empty: none is named.
std::string jobs_dsn(const JobsFlags& flags);

struct JobsAccess {
  Connection connection;
  JobSchema schema;
};
// Of a schema that is only read, a line on standard error says so.
Result<JobsAccess> open_jobs(const JobsFlags& flags);

// What a new job may have besides its data.
struct JobOptions {
  std::string priority;
  std::string start_after;
  std::string key;

  bool given() const { return !priority.empty() || !start_after.empty() || !key.empty(); }
};
void declare_job_options(CLI::App* verb, JobOptions& options, const std::string& group);
// Without data. Code::usage: a value cannot be.
Result<NewJob> new_job(const std::string& queue, const JobOptions& options);

// JSON of the command line, on one line; "-" is all of standard input. Code::usage: it is none.
Result<std::string> json_argument(const std::string& text);

}  // namespace rt::rtctl
