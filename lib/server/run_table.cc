#include "server/run_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/text.h"
#include "proto/pg_array.h"
#include "proto/pg_json.h"
#include "proto/pg_time.h"
#include "proto/pgoutput_writer.h"

namespace rt::server {

using pgoutput::TupleView;
using pgoutput::Value;
using pgoutput::ValueKind;

namespace {

// The elements of a text[] value; text that is no array is one tag by itself.
void append_tags(OwnedRunFacts& out, std::string_view text) {
  ArrayReader reader(text, out.scratch);
  for (;;) {
    switch (reader.next()) {
      case ArrayReader::Step::element:
        if (!reader.is_null()) out.tags.push_back(hash_name(Role::tag, reader.text()));
        break;
      case ArrayReader::Step::end:
        return;
      case ArrayReader::Step::bad:
        out.tags.assign(1, hash_name(Role::tag, text));
        return;
      default:
        break;
    }
  }
}

}  // namespace

Result<std::shared_ptr<const RunTable>> RunTable::describe(const pgoutput::Relation& relation) {
  auto table = std::make_shared<RunTable>();
  std::vector<std::string_view> column_names;
  for (const pgoutput::Column& column : relation.columns) {
    const std::size_t index = table->columns_.size();
    std::string key;
    append_json_string(key, column.name);
    key.push_back(':');
    table->columns_.push_back({std::move(key), column.type_oid});
    const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
      return std::find(names.begin(), names.end(), column.name) != names.end();
    };
    if (column.name == "id") table->roles_.id = index;
    if (column.name == "status") table->roles_.status = index;
    if (is_one_of({"env_id", "runtime_environment_id", "environment_id"})) {
      table->roles_.environment = index;
    }
    if (is_one_of({"tags", "run_tags", "runTags"})) table->roles_.tags = index;
    if (is_one_of({"created_at", "createdAt"})) table->roles_.created = index;
    if (is_one_of({"updated_at", "updatedAt"})) table->roles_.updated = index;
    column_names.push_back(column.name);
  }
  if (table->roles_.id == kAbsent) {
    return fail(Code::refused,
                fmt::format("table {}.{} has no column \"id\"", relation.schema, relation.name));
  }
  table->by_name_.resize(column_names.size());
  std::iota(table->by_name_.begin(), table->by_name_.end(), std::size_t{0});
  std::sort(table->by_name_.begin(), table->by_name_.end(),
            [&](std::size_t a, std::size_t b) { return column_names[a] < column_names[b]; });
  return std::shared_ptr<const RunTable>(std::move(table));
}

void RunTable::append_value(std::string& out, std::size_t column, Value value) const {
  if (value.kind == ValueKind::text) {
    append_json_value(out, columns_[column].type_oid, value.bytes);
  } else if (value.kind == ValueKind::binary) {
    append_json_string(out, value.bytes);
  } else {
    out.append("null");
  }
}

void RunTable::append_row(std::string& out, TupleView row) const {
  char separator = '{';
  std::size_t column = 0;
  for (const Value value : row) {
    if (column == columns_.size()) break;
    out.push_back(separator);
    out.append(columns_[column].json_key);
    append_value(out, column, value);
    separator = ',';
    ++column;
  }
  out.append(separator == '{' ? "{}" : "}");
}

void RunTable::append_id(std::string& out, TupleView row) const {
  out.append("{\"id\":");
  append_value(out, roles_.id, roles_.id < row.size() ? row[roles_.id] : Value{});
}

void RunTable::append_changes(std::string& out, TupleView before, TupleView after) const {
  append_id(out, after);
  auto old_value = before.begin();
  std::size_t column = 0;
  for (const Value value : after) {
    if (column == columns_.size()) break;
    const bool known = column < before.size();
    const bool same = known && *old_value == value;
    if (column != roles_.id && !same) {
      out.push_back(',');
      out.append(columns_[column].json_key);
      append_value(out, column, value);
    }
    if (known) ++old_value;
    ++column;
  }
  out.push_back('}');
}

void RunTable::append_departure(std::string& out, TupleView row, bool deleted) const {
  append_id(out, row);
  out.append(deleted ? ",\"left\":true,\"deleted\":true}" : ",\"left\":true}");
}

std::string_view RunTable::id_of(TupleView row) const {
  return roles_.id < row.size() ? row[roles_.id].bytes : std::string_view();
}

void RunTable::read_facts(OwnedRunFacts& out, TupleView row) const {
  out.environment.reset();
  out.created_us.reset();
  out.tags.clear();
  std::size_t column = 0;
  for (const Value value : row) {
    const bool present = value.kind == ValueKind::text;
    if (column == roles_.id) out.id = hash_name(Role::run, value.bytes);
    if (column == roles_.environment && present) {
      out.environment = hash_name(Role::environment, value.bytes);
    }
    if (column == roles_.created && present) out.created_us = parse_pg_timestamp_us(value.bytes);
    if (column == roles_.tags && present) append_tags(out, value.bytes);
    ++column;
  }
}

bool is_table(const pgoutput::Relation& relation, std::string_view name) {
  if (relation.name == name) return true;
  return name.size() == relation.schema.size() + 1 + relation.name.size() &&
         name.substr(0, relation.schema.size()) == relation.schema &&
         name[relation.schema.size()] == '.' &&
         name.substr(relation.schema.size() + 1) == relation.name;
}

void append_merged(std::string& out, TupleView row, TupleView old_row) {
  std::array<Value, pgoutput::kMaxColumns> values;
  std::size_t count = 0;
  auto old_value = old_row.begin();
  for (Value value : row) {
    const bool known = count < old_row.size();
    if (value.kind == ValueKind::unchanged) value = known ? *old_value : Value{};
    if (known) ++old_value;
    values[count++] = value;
  }
  pgoutput::append_tuple(out, std::span(values).first(count));
}

}  // namespace rt::server
