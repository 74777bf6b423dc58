#include "server/run_go_frames.h"

#include <array>

#include "base/text.h"
#include "base/units.h"
#include "proto/pg_json.h"
#include "proto/pg_time.h"

namespace rt::server {
namespace {

using pgoutput::TupleView;
using pgoutput::Value;
using pgoutput::ValueKind;

using Values = std::array<Value, pgoutput::kMaxColumns>;

// Of a column that the table may lack: nothing, as for NULL.
std::string_view text_of(const Values& values, std::size_t column) {
  return column < values.size() ? values[column].bytes : std::string_view();
}

// As Go's time.Time has it: UTC, no more digits than it takes, year 1 for a time that is not known.
void append_time(std::string& out, std::string_view text) {
  const auto us = parse_pg_timestamp_us(text);
  if (!us) {
    out.append("\"0001-01-01T00:00:00Z\"");
    return;
  }
  out.push_back('"');
  append_rfc3339(out, from_unix_us(*us));
  out.pop_back();  // Z
  out.erase(out.find_last_not_of('0') + 1);
  if (out.back() == '.') out.pop_back();
  out.append("Z\"");
}

// An array of names, or null; text that is no array is one tag.
void append_tags(std::string& out, const RunTable& table, const Values& values) {
  const std::size_t column = table.roles().tags;
  if (column >= values.size() || values[column].kind != ValueKind::text) {
    out.append("null");
    return;
  }
  const std::size_t at = out.size();
  append_json_value(out, table.columns()[column].type_oid, values[column].bytes);
  if (out[at] == '[') return;
  out.erase(at).push_back('[');
  append_json_string(out, values[column].bytes);
  out.push_back(']');
}

// The texts of all columns that are not NULL, in order of their names.
void append_data(std::string& out, const RunTable& table, const Values& values) {
  std::string_view separator = ",\"data\":{";
  for (const std::size_t column : table.columns_by_name()) {
    if (values[column].kind != ValueKind::text) continue;
    out.append(separator).append(table.columns()[column].json_key);
    append_json_string(out, values[column].bytes);
    separator = ",";
  }
  if (separator == ",") out.push_back('}');
}

void append_frame(std::string& out, std::uint64_t seq, std::string_view name, const RunTable& table,
                  TupleView row, bool deleted) {
  Values values;
  std::size_t count = 0;
  for (const Value value : row) values[count++] = value;
  const RunTable::Roles& roles = table.roles();
  const std::string_view environment = text_of(values, roles.environment);
  out.append("id: ");
  append_decimal(out, seq);
  out.append("\nevent: ").append(name).append("\ndata: {\"id\":");
  append_json_string(out, text_of(values, roles.id));
  out.append(",\"env_id\":");
  append_json_string(out,
                     environment.empty() ? "00000000-0000-0000-0000-000000000000" : environment);
  out.append(",\"tags\":");
  append_tags(out, table, values);
  out.append(",\"status\":");
  append_json_string(out, deleted ? "deleted" : text_of(values, roles.status));
  out.append(",\"updated_at\":");
  append_time(out, text_of(values, roles.updated));
  out.append(",\"created_at\":");
  append_time(out, text_of(values, roles.created));
  out.append(",\"seq\":");
  append_decimal(out, seq);
  append_data(out, table, values);
  out.append("}\n\n");
}

}  // namespace

void RunGoFrames::number(std::uint32_t slot) {
  if (slot >= by_slot_.size()) by_slot_.resize(slot + std::size_t{1});
  by_slot_[slot] = ++last_;
}

void RunGoFrames::append_initial(std::string& out, const RunTable& table, TupleView row,
                                 std::uint32_t slot) const {
  append_frame(out, by_slot_[slot], "initial", table, row, /*deleted=*/false);
}

void RunGoFrames::append_delta(std::string& out, const RunTable& table, TupleView row,
                               std::uint32_t slot) const {
  append_frame(out, by_slot_[slot], "delta", table, row, /*deleted=*/false);
}

void RunGoFrames::append_deletion(std::string& out, const RunTable& table, TupleView row,
                                  std::uint32_t slot) const {
  append_frame(out, by_slot_[slot], "delta", table, row, /*deleted=*/true);
}

}  // namespace rt::server
