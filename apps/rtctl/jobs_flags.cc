#include "rtctl/jobs_flags.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "base/units.h"
#include "cli/environment.h"
#include "rtctl/publish_sink.h"

namespace rt::rtctl {

void declare_jobs(CLI::App* verb, JobsFlags& flags) {
  verb->add_option("--pg", flags.dsn, "The database (else RT_PG, DATABASE_URL)")->type_name("DSN");
  verb->add_option("--schema", flags.schema, "Where pg-boss lives")
      ->type_name("NAME")
      ->capture_default_str();
}

std::string jobs_dsn(const JobsFlags& flags) {
  return flags.dsn.empty() ? cli::first_set({"RT_PG", "DATABASE_URL"}) : flags.dsn;
}

Result<JobsAccess> open_jobs(const JobsFlags& flags) {
  const std::string dsn = jobs_dsn(flags);
  const bool by_libpq = !cli::first_set({"PGHOST", "PGSERVICE", "PGDATABASE"}).empty();
  if (dsn.empty() && !by_libpq) {
    return fail(Code::usage, "which database? --pg is missing",
                "for example: --pg postgresql://localhost/app, or DATABASE_URL");
  }
  Connection connection = RT_TRY(Connection::connect(dsn, {.application_name = "rtctl jobs"}));
  JobSchema schema = RT_TRY(JobSchema::read(connection, flags.schema));
  if (!schema.is_writable()) {
    std::fprintf(stderr,
                 "rtctl: warning: version %d of pg-boss's schema is none that this build knows "
                 "(24, 26, 37 to 46): it is only read\n",
                 schema.version);
  }
  return JobsAccess{std::move(connection), std::move(schema)};
}

void declare_job_options(CLI::App* verb, JobOptions& options, const std::string& group) {
  verb->add_option("--priority", options.priority, "Higher runs first")
      ->type_name("N")
      ->group(group);
  verb->add_option("--start-after", options.start_after, "Not before then, or that much later")
      ->type_name("TIME")
      ->group(group);
  verb->add_option("--singleton-key", options.key, "What the queue's policy tells jobs apart by")
      ->type_name("KEY")
      ->group(group);
}

Result<NewJob> new_job(const std::string& queue, const JobOptions& options) {
  NewJob job;
  job.queue = queue;
  if (!options.key.empty()) job.singleton_key = options.key;
  if (!options.priority.empty()) {
    const char* end = options.priority.data() + options.priority.size();
    const auto [rest, error] = std::from_chars(options.priority.data(), end, job.priority);
    if (error != std::errc() || rest != end) {
      return fail(Code::usage,
                  fmt::format("--priority \"{}\" is no whole number", options.priority));
    }
  }
  if (options.start_after.empty()) return job;
  if (const auto time = parse_rfc3339(options.start_after)) {
    job.start_after = format_rfc3339(*time);
    return job;
  }
  const Duration delay = RT_TRY(parse_duration(options.start_after));
  job.start_after = fmt::format("{:.6f} seconds", std::chrono::duration<double>(delay).count());
  job.start_is_interval = true;
  return job;
}

Result<std::string> json_argument(const std::string& text) {
  std::string json;
  if (text == "-") {
    const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
    RT_CHECKED(append_json_data(json, input));
  } else {
    RT_CHECKED(append_json_data(json, text));
  }
  return json;
}

}  // namespace rt::rtctl
