#include "proto/job_row.h"

#include "base/text.h"
#include "base/units.h"
#include "proto/json_compact.h"
#include "proto/pg_time.h"

namespace rt {
namespace {

void append_text(std::string& out, const std::optional<std::string>& text) {
  if (text) {
    append_json_string(out, *text);
  } else {
    out.append("null");
  }
}

// What the database calls JSON is some; anything else is told as text rather than spoil the row.
void append_value(std::string& out, const std::optional<std::string>& json) {
  if (json && append_compact_json(out, *json)) return;
  append_text(out, json);
}

void append_time(std::string& out, const std::optional<std::int64_t>& us) {
  if (us) {
    out.append("\"").append(format_rfc3339_ms(from_unix_us(*us))).append("\"");
  } else {
    out.append("null");
  }
}

std::optional<std::string> text_of(std::optional<std::string_view> value) {
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

std::optional<std::int64_t> time_of(std::optional<std::string_view> value) {
  return value ? parse_pg_timestamp_us(*value) : std::nullopt;
}

}  // namespace

void set_job_column(JobRow& row, std::string_view column, std::optional<std::string_view> value) {
  if (column == "id") row.id = value.value_or("");
  if (column == "task_id") row.task_id = value.value_or("");
  if (column == "status") row.status = value.value_or("");
  if (column == "payload") row.payload = text_of(value);
  if (column == "result") row.result = text_of(value);
  if (column == "error") row.error = text_of(value);
  if (column == "started_at") row.started_us = time_of(value);
  if (column == "completed_at") row.completed_us = time_of(value);
  if (column == "created_at") row.created_us = time_of(value);
}

void append_job_json(std::string& out, const JobRow& row) {
  out.append("{\"id\":");
  append_json_string(out, row.id);
  out.append(",\"taskId\":");
  append_json_string(out, row.task_id);
  out.append(",\"status\":");
  append_json_string(out, row.status);
  out.append(",\"payload\":");
  append_value(out, row.payload);
  out.append(",\"result\":");
  append_value(out, row.result);
  out.append(",\"error\":");
  append_text(out, row.error);
  out.append(",\"startedAt\":");
  append_time(out, row.started_us);
  out.append(",\"completedAt\":");
  append_time(out, row.completed_us);
  out.append(",\"createdAt\":");
  append_time(out, row.created_us);
  out.push_back('}');
}

std::string job_json(const JobRow& row) {
  std::string out;
  append_job_json(out, row);
  return out;
}

}  // namespace rt
