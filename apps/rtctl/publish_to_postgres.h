// Messages as statements on one connection to PostgreSQL: a notification, a row of the run table, a
// job of pg-boss. Each is committed when send() returns.
#pragma once

#include <memory>
#include <string>

#include "pg/job_queue.h"
#include "rtctl/publish_sink.h"

namespace rt::rtctl {

struct PostgresTarget {
  std::string dsn;
  int cancel_fd = -1;  // ends every wait when it becomes readable
};

// Messages are payloads.
std::unique_ptr<PublishSink> publish_to_notify(PostgresTarget target, std::string channel);

// Messages are rows as JSON objects (run_row.h).
std::unique_ptr<PublishSink> publish_to_runs(PostgresTarget target, std::string table);

// Messages are the jobs' data; `job` holds what they have in common.
std::unique_ptr<PublishSink> publish_to_pgboss(PostgresTarget target, std::string schema,
                                               NewJob job);

}  // namespace rt::rtctl
