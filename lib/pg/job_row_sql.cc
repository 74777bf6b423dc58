#include "pg/job_row_sql.h"

#include <fmt/format.h>

namespace rt {
namespace {

// pg-boss keeps an error object as it is and wraps anything else: {"value": ...}.
constexpr const char* kError =
    "case {0}.state::text when 'cancelled' then 'cancelled' "
    "when 'failed' then coalesce({1}, 'failed') when 'retry' then {1} end";
constexpr const char* kMessage =
    "{0}.output->>'message', {0}.output#>>'{{value,message}}', {0}.output->>'value', "
    "{0}.output::text";

}  // namespace

std::array<std::string, kJobColumns.size()> job_row_sql(std::string_view row) {
  const std::string message = fmt::format("coalesce({})", fmt::format(kMessage, row));
  return {
      fmt::format("{}.id::text", row),
      fmt::format("{}.name", row),
      fmt::format("case when {0}.state::text in ('active', 'completed', 'failed') then "
                  "{0}.state::text when {0}.state::text = 'cancelled' then 'failed' "
                  "else 'pending' end",
                  row),
      fmt::format("{}.data", row),
      fmt::format("case when {0}.state::text = 'completed' then {0}.output end", row),
      fmt::format(kError, row, message),
      fmt::format("{}.started_on", row),
      fmt::format("case when {0}.state::text in ('completed', 'cancelled', 'failed') "
                  "then {0}.completed_on end",
                  row),
      fmt::format("{}.created_on", row),
  };
}

std::string job_row_selection(std::string_view row) {
  std::string list;
  const auto expressions = job_row_sql(row);
  for (std::size_t i = 0; i < kJobColumns.size(); ++i) {
    if (i > 0) list.append(", ");
    const bool time = kJobColumns[i].ends_with("_at");
    list.append(time ? fmt::format("({}) at time zone 'UTC'", expressions[i])
                     : "(" + expressions[i] + ")");
    list.append(" as ").append(kJobColumns[i]);
  }
  return list;
}

JobRow read_job_row(const Rows& rows, int row) {
  JobRow job;
  for (std::size_t i = 0; i < kJobColumns.size(); ++i) {
    set_job_column(job, kJobColumns[i], rows.value(row, static_cast<int>(i)));
  }
  return job;
}

}  // namespace rt
