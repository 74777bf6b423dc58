// What exports to other programs' formats need of a relation: names made once, not per row.
// One thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "proto/pgoutput.h"

namespace rt::rtreplay {

struct ExportedTable {
  struct Column {
    std::string name;
    std::string json_name;  // quoted
    std::string type_name;  // as format_type() has it
    std::uint32_t type_oid = 0;
    std::int32_t typmod = -1;
    bool is_key = false;
  };
  std::string schema;
  std::string name;
  std::string json_schema;  // quoted
  std::string json_name;
  std::vector<Column> columns;
  bool has_key = false;
};

class ExportedTables {
 public:
  // Relation and Type messages. With REPLICA IDENTITY FULL, where the server marks every column,
  // the key that an earlier description named is kept.
  void learn(const pgoutput::Relation& relation);
  void learn(const pgoutput::Type& type);
  const ExportedTable* find(std::uint32_t oid) const;

 private:
  std::unordered_map<std::uint32_t, ExportedTable> tables_;
  std::unordered_map<std::uint32_t, std::string> types_;
};

}  // namespace rt::rtreplay
