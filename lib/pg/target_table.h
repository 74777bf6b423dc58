// A table as the database that changes are applied to knows it: columns, and the key that tells one
// row from another. Source: PostgreSQL 15, chapter "System Catalogs": pg_attribute, pg_index.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pg/connection.h"
#include "pg/names.h"

namespace rt {

struct TargetColumn {
  std::string name;
  std::uint32_t type_oid = 0;
  bool generated = false;        // GENERATED ALWAYS AS (..) STORED: takes no value
  bool identity_always = false;  // GENERATED ALWAYS AS IDENTITY
};

struct TargetTable {
  TableName name;
  bool partitioned = false;
  std::vector<TargetColumn> columns;
  // Columns of the primary key, else of the oldest unique index over columns that cannot be NULL;
  // empty if there is neither. Fit for ON CONFLICT: no deferrable, partial or expression index.
  std::vector<std::string> key;

  const TargetColumn* find(std::string_view column) const;
};

// Code::refused if there is no such table.
Result<TargetTable> find_target_table(Connection& connection, const TableName& name);

// Sequences behind serial and identity columns of the table, moved so that the next value is free
// (never backwards). How many were moved.
Result<std::uint64_t> move_sequences(Connection& connection, const TableName& name);

}  // namespace rt
