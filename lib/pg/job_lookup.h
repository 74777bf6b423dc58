// Jobs of pg-boss as they are now, read from its own tables. Any version of the schema is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pg/connection.h"
#include "pg/job_schema.h"
#include "pg/names.h"
#include "proto/job_row.h"

namespace rt {

struct FoundJob {
  JobRow row;
  std::string state;  // pg-boss's word: created, retry, active, completed, cancelled, failed
  std::int64_t priority = 0;
  std::int64_t retry_count = 0;
  std::int64_t retry_limit = 0;
  std::optional<std::int64_t> start_after_us{};
};

// In the job table, else in the archive that version 24 has. nullopt: there is no such job.
Result<std::optional<FoundJob>> find_job(Connection& connection, const JobSchema& schema,
                                         const std::string& id);

struct JobListing {
  std::string queue;                // empty: all but pg-boss's own
  std::vector<std::string> states;  // pg-boss's words; empty: all
  std::uint64_t count_max = 50;
};
// The newest first.
Result<std::vector<FoundJob>> list_jobs(Connection& connection, const JobSchema& schema,
                                        const JobListing& listing);

Result<bool> has_job_queue(Connection& connection, const JobSchema& schema,
                           const std::string& queue);

// The row of job_runs: what the triggers keep, also when pg-boss has forgotten the job.
Result<std::optional<JobRow>> read_job_run(Connection& connection, const TableName& table,
                                           const std::string& id);

}  // namespace rt
