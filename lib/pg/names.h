// Names of tables as people write them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace rt {

struct TableName {
  std::string schema = "public";
  std::string table;

  // "schema"."table", safe in SQL whatever the names hold.
  std::string quoted() const;
  // schema.table, for people.
  std::string text() const { return schema + "." + table; }
  friend bool operator==(const TableName&, const TableName&) = default;
};

// "task_run", "app.task_run", "\"My Schema\".\"Odd\"\"Name\"". Unquoted parts are folded to lower
// case, as PostgreSQL does (documentation, "Identifiers and Key Words"); a part has 1 to 63 bytes.
Result<TableName> parse_table_name(std::string_view text);

// Quotes one identifier; doubles quotes inside.
std::string quote_identifier(std::string_view name);

// Slot names are [a-z0-9_], 1 to 63 characters: an error that says so before the server does.
Result<void> check_slot_name(std::string_view name);

}  // namespace rt
