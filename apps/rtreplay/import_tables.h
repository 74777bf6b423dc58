// The tables that lines of NDJSON speak of: described by lines, or made up from rows.
// Throws BadLine. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "proto/pgoutput.h"
#include "rtreplay/json_fields.h"

namespace rt::rtreplay {

class ImportTables {
 public:
  struct Column {
    std::string name;
    std::uint32_t type_oid = 25;  // text
    std::int32_t typmod = -1;
    bool is_key = false;
  };
  struct Table {
    std::uint32_t oid = 0;
    std::string schema;
    std::string name;
    char identity = 'd';
    std::vector<Column> columns;
  };

  // From a "relation" line. Appends its Relation message.
  void describe(const Json& line, std::string& message);
  // Of a row: by "oid", else by "rel". Where the row has columns that the table lacks, the table is
  // made up anew and `message` is its Relation message, else `message` stays empty.
  const Table& of_row(const Json& row, std::string& message);
  const Table* find(std::uint32_t oid) const;

 private:
  Table& make_up(const std::string& name);
  static bool add_columns(Table& table, const Json& row);
  static void append_message(const Table& table, std::string& message);

  std::unordered_map<std::uint32_t, Table> tables_;
  std::unordered_map<std::string, std::uint32_t> by_name_;
  std::uint32_t next_oid_ = 16'384;  // the first that PostgreSQL gives to a user's table
};

// The values of a row object in the order of the table's columns. What is absent is `absent`.
class ImportRow {
 public:
  ImportRow(const ImportTables::Table& table, const Json& object, pgoutput::ValueKind absent);
  const std::vector<pgoutput::Value>& values() const { return values_; }
  ImportRow(const ImportRow&) = delete;
  ImportRow& operator=(const ImportRow&) = delete;

 private:
  std::vector<std::string> bytes_;
  std::vector<pgoutput::Value> values_;
};

}  // namespace rt::rtreplay
