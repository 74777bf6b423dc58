// Messages as rows over one connection to PostgreSQL: of the run table, or jobs of pg-boss.
#pragma once

#include <memory>
#include <string>

#include "pg/job_queue.h"
#include "pipe/publish_to_postgres.h"

namespace rt::rtctl {

// Messages are rows as JSON objects (run_row.h).
std::unique_ptr<PublishSink> publish_to_runs(PublishDatabase target, std::string table);

// Messages are the jobs' data; `job` holds what they have in common.
std::unique_ptr<PublishSink> publish_to_pgboss(PublishDatabase target, std::string schema,
                                               NewJob job);

}  // namespace rt::rtctl
