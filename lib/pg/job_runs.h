// The table job_runs, kept true by triggers on pg-boss's job table: a real worker then drives the
// status streams without code of its own. Every step is idempotent and says what it did.
//
// The triggers stand on the partitioned parent; partitions of queues made later get them too.
// pg-boss fails and retries a job by deleting and inserting it in one statement, so a deleted job
// is gone only if it is not there when the statement ends.
#pragma once

#include <string>

#include "base/result.h"
#include "pg/connection.h"
#include "pg/job_schema.h"
#include "pg/names.h"
#include "pg/setup.h"

namespace rt {

// Creates the table if it is missing; one that exists is checked and kept. Then the triggers, and a
// row for each job that is there. Workers wait while it fills: about 10 s a million jobs.
// Code::refused: the schema's version is not one that is written, or the table has another form.
Result<void> set_up_job_runs(Connection& connection, const JobSchema& schema,
                             const TableName& table, const OnSetupStep& on_step);

// Takes the triggers away; the table stays as it is.
Result<void> remove_job_runs_triggers(Connection& connection, const JobSchema& schema,
                                      const OnSetupStep& on_step);

}  // namespace rt
