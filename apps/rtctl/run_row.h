// One row of the run table as a person or a program gives it to `rtctl publish run`.
// Pure: text in, SQL or JSON out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rt::rtctl {

struct RunRow {
  struct Column {
    std::string name;
    std::optional<std::string> value;  // as PostgreSQL's input text; nullopt: NULL
    std::string json;                  // the same as JSON
  };
  std::vector<Column> columns;  // `id` first, each name once

  std::string_view id() const { return *columns.front().value; }
};

// What the flags of `publish run` say.
struct RunFields {
  std::string id;
  std::optional<std::string> env;
  std::optional<std::string> status;
  std::vector<std::string> tags;    // none: the column is left alone
  std::optional<std::string> json;  // the `data` column
};
// Fails with Code::usage on an empty id or data that is not JSON.
Result<RunRow> run_row(const RunFields& fields);

// One JSON object: a member per column, numbers in their own spelling. Fails with Code::usage.
Result<RunRow> parse_run_row(std::string_view json);

// {"id":"r1","status":"done"}
std::string run_row_json(const RunRow& row);
// INSERT .. ON CONFLICT (id) DO UPDATE with $1, $2, .. in the order of the columns. `table` is
// quoted already. Given columns only are changed; updated_at moves to now() if it is not given.
std::string upsert_sql(const RunRow& row, std::string_view table);

}  // namespace rt::rtctl
