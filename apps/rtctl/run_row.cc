#include "rtctl/run_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "pg/names.h"
#include "rtctl/json_view.h"

namespace rt::rtctl {
namespace {

using Json = nlohmann::ordered_json;

// PostgreSQL's array input: {"a","b \"quoted\""}.
std::string text_array(const std::vector<std::string>& items) {
  std::string out = "{";
  for (const std::string& item : items) {
    if (out.size() > 1) out.push_back(',');
    out.push_back('"');
    for (const char c : item) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    out.push_back('"');
  }
  return out + "}";
}

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// `tags` is text[], `data` is jsonb; every other column takes a plain value, or JSON as it stands.
Result<std::optional<std::string>> column_text(const std::string& name, std::string_view json) {
  const Json value = Json::parse(json.begin(), json.end());
  if (value.is_null()) return std::nullopt;
  if (name == "data") return std::string(json);
  if (name == "tags") {
    const bool texts = value.is_array() && std::all_of(value.begin(), value.end(),
                                                       [](const Json& t) { return t.is_string(); });
    if (!texts) return fail(Code::usage, "tags are not an array of strings");
    return text_array(value.get<std::vector<std::string>>());
  }
  if (value.is_string()) return value.get<std::string>();
  return std::string(json);
}

Result<RunRow> checked(RunRow row) {
  const auto is_id = [](const RunRow::Column& column) { return column.name == "id"; };
  const auto id = std::find_if(row.columns.begin(), row.columns.end(), is_id);
  if (id == row.columns.end() || !id->value || id->value->empty()) {
    return fail(Code::usage, "a run needs an id");
  }
  std::rotate(row.columns.begin(), id, id + 1);
  for (const RunRow::Column& column : row.columns) {
    if (column.value && column.value->find('\0') != std::string::npos) {
      return fail(Code::usage, fmt::format("column {} contains NUL, which PostgreSQL cannot store",
                                           column.name));
    }
  }
  return row;
}

}  // namespace

Result<RunRow> run_row(const RunFields& fields) {
  RunRow row;
  row.columns.push_back({"id", fields.id, json_text(fields.id)});
  if (fields.env) row.columns.push_back({"env_id", fields.env, json_text(*fields.env)});
  if (fields.status) row.columns.push_back({"status", fields.status, json_text(*fields.status)});
  if (!fields.tags.empty()) {
    row.columns.push_back({"tags", text_array(fields.tags), Json(fields.tags).dump()});
  }
  if (fields.json) {
    if (!Json::accept(*fields.json)) {
      return fail(Code::usage, "--data is not JSON", "quote it for the shell: --data '{\"n\":1}'");
    }
    row.columns.push_back({"data", fields.json, *fields.json});
  }
  return checked(std::move(row));
}

Result<RunRow> parse_run_row(std::string_view json) {
  const Json value = Json::parse(json.begin(), json.end(), nullptr, false);
  if (value.is_discarded() || !value.is_object()) {
    return fail(Code::usage, "a row is not a JSON object",
                R"(one object a line: {"id":"r1","status":"running"})");
  }
  RunRow row;
  for (const JsonMember& member : json_members(json)) {
    const std::string name = Json::parse(member.name.begin(), member.name.end());
    const auto is_same = [&](const RunRow::Column& column) { return column.name == name; };
    if (std::any_of(row.columns.begin(), row.columns.end(), is_same)) {
      return fail(Code::usage, fmt::format("column \"{}\" is given twice in one row", name));
    }
    std::string line;
    append_json_line(line, member.value);
    row.columns.push_back({name, RT_TRY(column_text(name, line)), line});
  }
  return checked(std::move(row));
}

std::string run_row_json(const RunRow& row) {
  std::string out = "{";
  for (const RunRow::Column& column : row.columns) {
    if (out.size() > 1) out.push_back(',');
    append_json_string(out, column.name);
    out.append(":").append(column.json);
  }
  return out + "}";
}

std::string upsert_sql(const RunRow& row, std::string_view table) {
  std::string names;
  std::string values;
  std::string changes;
  bool stamped = false;
  for (std::size_t i = 0; i < row.columns.size(); ++i) {
    const std::string name = quote_identifier(row.columns[i].name);
    if (i > 0) {
      names.append(", ");
      values.append(", ");
    }
    names.append(name);
    values.append(fmt::format("${}", i + 1));
    if (i > 0) changes.append(fmt::format("{} = excluded.{}, ", name, name));
    stamped = stamped || row.columns[i].name == "updated_at";
  }
  if (!stamped) {
    changes.append("updated_at = now()");
  } else {
    changes.resize(changes.size() - 2);
  }
  return fmt::format("insert into {} as run ({}) values ({}) on conflict (id) do update set {}",
                     table, names, values, changes);
}

}  // namespace rt::rtctl
