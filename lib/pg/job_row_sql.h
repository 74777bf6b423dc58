// A job of pg-boss as a row of job_runs: the SQL of each column over a row of <schema>.job, the
// same for the trigger, for what was there before it, and for who asks. Pure.
//
//   created, retry -> pending    active -> active    completed -> completed
//   failed, cancelled -> failed
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "pg/rows.h"
#include "proto/job_row.h"

namespace rt {

// Expressions in the order of kJobColumns; `row` is the alias of the job: "new", "j". Times are
// timestamps with time zone, the id is text.
std::array<std::string, kJobColumns.size()> job_row_sql(std::string_view row);
// All of them, separated by commas, named as the columns, times as UTC text.
std::string job_row_selection(std::string_view row);

// A job that was removed while it waited or ran; its watchers would wait for ever.
inline constexpr std::string_view kJobDeleted = "deleted before it ended";

// The first columns of a row, selected with job_row_selection().
JobRow read_job_row(const Rows& rows, int row);

}  // namespace rt
