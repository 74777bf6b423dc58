// The schema that pg-boss keeps its jobs in: which version it is, and what may be done to it. The
// version is read and never written. Source: pg-boss, docs/install and plans.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "pg/connection.h"

namespace rt {

// 24 (pg-boss 10.4), 26 (11.1 to 12.5), 37 to 46 (12.26 to 12.38): their rules are known. An older
// or newer one is read, and left alone.
bool is_writable_job_schema(int version);

inline constexpr int kJobSchema10 = 24;  // 10.4: a partition a queue, an archive, settings NULL
inline constexpr int kJobSchemaNewest = 46;

struct JobSchema {
  std::string name = "pgboss";
  int version = 0;

  // Code::refused: pg-boss is not installed there.
  static Result<JobSchema> read(Connection& connection, const std::string& name);

  bool is_writable() const { return is_writable_job_schema(version); }
  // Code::refused with what to do instead, where it is not.
  Result<void> require_writable(std::string_view attempt, const Connection& connection) const;

  // "pgboss", quoted where that is needed: at() + ".job" is the table.
  std::string at() const;
  bool has_archive() const { return version <= kJobSchema10; }
};

// Whether a table of the schema has the column.
Result<bool> has_job_column(Connection& connection, const JobSchema& schema,
                            const std::string& table, const std::string& column);

// pg-boss's own errands travel through queues of this prefix.
inline constexpr std::string_view kInternalQueues = "__pgboss__";

// "a1b2c3d4-..." in any case: what a job's id looks like.
bool is_job_id(std::string_view text);

}  // namespace rt
