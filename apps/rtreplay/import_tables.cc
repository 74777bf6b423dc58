#include "rtreplay/import_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "proto/pgoutput_writer.h"

namespace rt::rtreplay {
namespace {

using pgoutput::ValueKind;

// Text of a value: strings as they are, numbers as they are spelt, booleans as PostgreSQL has them.
std::pair<ValueKind, std::string> value_in(const Json& value) {
  if (value.is_null()) return {ValueKind::null, {}};
  if (value.is_boolean()) return {ValueKind::text, value.get<bool>() ? "t" : "f"};
  if (value.is_number()) return {ValueKind::text, value.dump()};
  if (value.is_object() && value.contains("binary") && value["binary"].is_string()) {
    auto bytes = decode_base64(value["binary"].get_ref<const std::string&>());
    if (!bytes) throw BadLine("\"binary\" is no base64");
    return {ValueKind::binary, std::move(*bytes)};
  }
  return {ValueKind::text, bytes_in(value)};
}

char identity_of(const Json& line) {
  const std::string text = bytes_of(line, "identity");
  if (text.size() != 1) throw BadLine("\"identity\" is no single letter");
  return text.front();
}

}  // namespace

void ImportTables::append_message(const Table& table, std::string& message) {
  std::vector<pgoutput::Column> columns;
  for (const Column& column : table.columns) {
    columns.push_back({static_cast<std::uint8_t>(column.is_key ? 1 : 0), column.name,
                       column.type_oid, column.typmod});
  }
  pgoutput::append_relation(message, table.oid, table.schema, table.name, table.identity, columns);
}

void ImportTables::describe(const Json& line, std::string& message) {
  Table table;
  table.oid = oid_of(line, "oid");
  table.schema = name_of(line, "schema");
  table.name = name_of(line, "name");
  table.identity = identity_of(line);
  const Json& columns = field(line, "columns");
  if (!columns.is_array() || columns.size() > pgoutput::kMaxColumns) {
    throw BadLine("\"columns\" is no list that a table can have");
  }
  for (const Json& column : columns) {
    table.columns.push_back({name_of(column, "name"), oid_of(column, "type"),
                             static_cast<std::int32_t>(number_of(column, "typmod", -1)),
                             flag_of(column, "key")});
  }
  append_message(table, message);
  const std::string schema = table.schema.empty() ? "pg_catalog" : table.schema;
  by_name_[schema + "." + table.name] = table.oid;
  tables_[table.oid] = std::move(table);
}

const ImportTables::Table* ImportTables::find(std::uint32_t oid) const {
  const auto found = tables_.find(oid);
  return found == tables_.end() ? nullptr : &found->second;
}

ImportTables::Table& ImportTables::make_up(const std::string& name) {
  while (tables_.count(next_oid_) > 0) ++next_oid_;
  Table table;
  table.oid = next_oid_;
  const std::size_t dot = name.find('.');
  table.schema = dot == std::string::npos ? "public" : name.substr(0, dot);
  table.name = dot == std::string::npos ? name : name.substr(dot + 1);
  by_name_[name] = table.oid;
  return tables_[table.oid] = std::move(table);
}

// Columns of the row that the table lacks; those under "key" are its key.
bool ImportTables::add_columns(Table& table, const Json& row) {
  bool added = false;
  const auto add = [&](const std::string& name) {
    const bool known = std::any_of(table.columns.begin(), table.columns.end(),
                                   [&](const Column& column) { return column.name == name; });
    if (known) return;
    if (name.find('\0') != std::string::npos) throw BadLine("a column's name holds NUL");
    if (table.columns.size() == pgoutput::kMaxColumns) throw BadLine("too many columns");
    Column column;
    column.name = name;
    const auto key = row.find("key");
    column.is_key = key != row.end() && key->is_object() && key->contains(name);
    table.columns.push_back(std::move(column));
    added = true;
  };
  for (const char* part : {"new", "old", "key"}) {
    const auto found = row.find(part);
    if (found == row.end() || !found->is_object()) continue;
    for (const auto& [name, value] : found->items()) add(name);
  }
  if (const auto unchanged = row.find("unchanged"); unchanged != row.end()) {
    for (const Json& name : *unchanged) add(bytes_in(name));
  }
  return added;
}

const ImportTables::Table& ImportTables::of_row(const Json& row, std::string& message) {
  if (row.contains("oid")) {
    const std::uint32_t oid = oid_of(row, "oid");
    if (const Table* known = find(oid)) return *known;
    throw BadLine(fmt::format("no line describes relation {}", oid));
  }
  const std::string name = bytes_of(row, "rel");
  const auto known = by_name_.find(name);
  Table& table = known == by_name_.end() ? make_up(name) : tables_[known->second];
  const bool added = add_columns(table, row);
  if (added || known == by_name_.end()) append_message(table, message);
  return table;
}

ImportRow::ImportRow(const ImportTables::Table& table, const Json& object, ValueKind absent) {
  if (!object.is_object()) throw BadLine("a row is no object");
  bytes_.resize(table.columns.size());
  std::size_t found_fields = 0;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto found = object.find(table.columns[i].name);
    ValueKind kind = absent;
    if (found != object.end()) {
      ++found_fields;
      std::tie(kind, bytes_[i]) = value_in(*found);
    }
    values_.push_back({kind, bytes_[i]});
  }
  if (found_fields != object.size()) {
    throw BadLine(fmt::format("a row has columns that {}.{} has not", table.schema, table.name));
  }
}

}  // namespace rt::rtreplay
