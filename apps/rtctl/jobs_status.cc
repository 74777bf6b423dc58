// rtctl jobs status ID: one job as it is now.
#include <fmt/format.h>

#include <memory>

#include "base/units.h"
#include "rtctl/jobs_flags.h"
#include "rtctl/jobs_output.h"
#include "rtctl/jobs_verbs.h"
#include "rtctl/terminal_text.h"

namespace rt::rtctl {
namespace {

struct JobsStatus : JobsFlags {
  std::string id;
  std::string table = "job_runs";
  std::string format = "text";
};

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(fmt::format("{:<10} ", name));
  append_visible(out, value);
  out.push_back('\n');
}

std::string job_text(const JobRow& row, const FoundJob* found) {
  std::string out;
  append_line(out, "job", row.id);
  append_line(out, "queue", row.task_id);
  const bool same = found == nullptr || found->state == row.status;
  append_line(out, "status", same ? row.status : fmt::format("{} ({})", row.status, found->state));
  if (found != nullptr && (found->retry_count > 0 || found->retry_limit > 0)) {
    append_line(out, "retries", fmt::format("{} of {}", found->retry_count, found->retry_limit));
  }
  append_line(out, "created", short_time(row.created_us));
  if (row.started_us) append_line(out, "started", short_time(row.started_us));
  if (row.completed_us) append_line(out, "ended", short_time(row.completed_us));
  if (row.payload) append_line(out, "payload", *row.payload);
  if (row.result) append_line(out, "result", *row.result);
  if (row.error) append_line(out, "error", *row.error);
  return out;
}

// pg-boss forgets its jobs after a while; the table of jobs does not.
Result<std::optional<JobRow>> remembered(JobsAccess& jobs, const JobsStatus& flags) {
  const TableName table = RT_TRY(parse_table_name(flags.table));
  const Rows there = RT_TRY(jobs.connection.query("select to_regclass($1) is not null",
                                                  {table.quoted()}, "cannot look up job_runs"));
  if (there.text(0, 0) != "t") return std::nullopt;
  return read_job_run(jobs.connection, table, flags.id);
}

Result<int> run(const JobsStatus& flags) {
  JobsAccess jobs = RT_TRY(open_jobs(flags));
  const bool text = flags.format == "text";
  if (const auto found = RT_TRY(find_job(jobs.connection, jobs.schema, flags.id))) {
    return print(text ? job_text(found->row, &*found) : found_job_json(*found) + "\n");
  }
  if (const auto row = RT_TRY(remembered(jobs, flags))) {
    return print(text ? job_text(*row, nullptr) : job_json(*row) + "\n");
  }
  return fail(Code::refused,
              fmt::format("there is no job {} on {}", flags.id, jobs.connection.endpoint()),
              "\"rtctl jobs list\" shows those there are");
}

}  // namespace

void add_jobs_status(cli::Tool& tool, CLI::App* jobs) {
  auto flags = std::make_shared<JobsStatus>();
  CLI::App* verb =
      tool.verb(jobs, "status", "Show one job as it is now", [flags] { return run(*flags); });
  verb->add_option("id", flags->id, "The job")->type_name("ID")->required();
  declare_jobs(verb, *flags);
  verb->add_option("--table", flags->table, "Where jobs are looked up that pg-boss has forgotten")
      ->type_name("NAME")
      ->capture_default_str();
  declare_jobs_format(verb, flags->format);
  cli::Tool::examples(verb,
                      "  rtctl jobs status \"$id\"\n"
                      "  rtctl jobs status \"$id\" --format json | jq -r .status\n"
                      "exit status: 0 found, 4 no such job");
}

}  // namespace rt::rtctl
