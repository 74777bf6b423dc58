// Jobs of pg-boss by SQL: which schema is there, and one more job in a queue. The version is read
// and never written; a job always takes its settings from its queue's row, because the column
// defaults know neither the queue's policy nor its limits. Source: pg-boss, docs/sql and plans.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "pg/connection.h"
#include "pg/job_schema.h"

namespace rt {

struct NewJob {
  std::string queue;
  std::optional<std::string> data;  // JSON; nullopt: NULL
  int priority = 0;
  std::optional<std::string>
      start_after;  // as PostgreSQL reads an interval or a timestamp with zone
  bool start_is_interval = false;
  std::optional<std::string> singleton_key;
};

// One thread; not valid beyond a reconnect of its connection.
class JobQueue {
 public:
  // Reads the schema's version and columns. Code::refused: not installed, or not one that is
  // written.
  static Result<JobQueue> open(Connection& connection, const std::string& schema = "pgboss");

  // The job's id. Code::refused: there is no such queue. Code::negative: the queue's policy has no
  // room for the job.
  Result<std::string> send(Connection& connection, const NewJob& job) const;

  int version() const { return version_; }

 private:
  std::string schema_;
  int version_ = 0;
  std::string send_sql_[2];  // [start_is_interval]
};

}  // namespace rt
