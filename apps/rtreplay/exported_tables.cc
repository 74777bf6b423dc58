#include "rtreplay/exported_tables.h"

#include <algorithm>

#include "base/text.h"
#include "rtreplay/pg_type_names.h"

namespace rt::rtreplay {

void ExportedTables::learn(const pgoutput::Type& type) {
  types_[type.oid] = type.name;
}

void ExportedTables::learn(const pgoutput::Relation& relation) {
  ExportedTable table;
  table.schema = relation.schema.empty() ? "pg_catalog" : relation.schema;
  table.name = relation.name;
  append_json_string(table.json_schema, table.schema);
  append_json_string(table.json_name, table.name);
  bool all_keys = true;
  for (const pgoutput::Column column : relation.columns) {
    ExportedTable::Column made;
    made.name = column.name;
    append_json_string(made.json_name, column.name);
    made.type_oid = column.type_oid;
    made.typmod = column.typmod;
    made.type_name = pg_type_name(column.type_oid, column.typmod);
    if (made.type_name.empty()) {
      const auto named = types_.find(column.type_oid);
      made.type_name = named == types_.end() ? std::to_string(column.type_oid) : named->second;
    }
    made.is_key = column.is_key();
    all_keys = all_keys && made.is_key;
    table.columns.push_back(std::move(made));
  }
  const ExportedTable* before = find(relation.oid);
  if (relation.identity == 'f' && all_keys && before != nullptr) {
    for (ExportedTable::Column& column : table.columns) {
      column.is_key = std::any_of(
          before->columns.begin(), before->columns.end(),
          [&](const ExportedTable::Column& old) { return old.is_key && old.name == column.name; });
    }
  }
  table.has_key = std::any_of(table.columns.begin(), table.columns.end(),
                              [](const ExportedTable::Column& column) { return column.is_key; });
  tables_[relation.oid] = std::move(table);
}

const ExportedTable* ExportedTables::find(std::uint32_t oid) const {
  const auto found = tables_.find(oid);
  return found == tables_.end() ? nullptr : &found->second;
}

}  // namespace rt::rtreplay
