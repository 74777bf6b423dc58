// The form of the table job_runs: made where it is missing, checked where it is not.
#pragma once

#include <array>
#include <string>

#include "base/result.h"
#include "pg/connection.h"
#include "pg/names.h"
#include "proto/job_row.h"

namespace rt {

// The type of each column of kJobColumns as the table has it: "text", "timestamp without time
// zone".
using JobRunsTypes = std::array<std::string, kJobColumns.size()>;

Result<void> create_job_runs(Connection& connection, const TableName& table);

// Code::refused names the first column that would make the triggers fail, and with them pg-boss:
// missing, of another type, or one of the table's own that insists on a value; and an id that is
// not unique.
Result<JobRunsTypes> check_job_runs(Connection& connection, const TableName& table);

}  // namespace rt
