#include "rtctl/job_follower.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "proto/json_scan.h"
#include "rtctl/jobs_output.h"
#include "rtctl/terminal_text.h"

namespace rt::rtctl {
namespace {

// Columns of JSON keep their own spelling; the others are strings or null.
void set_from_json(JobRow& row, std::string_view column, std::string_view json) {
  if (json == "null") {
    set_job_column(row, column, std::nullopt);
  } else if (column == "payload" || column == "result") {
    set_job_column(row, column, json);
  } else {
    const auto value = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
    if (value.is_string()) set_job_column(row, column, value.get_ref<const std::string&>());
  }
}

std::string_view bare(std::string_view quoted) {
  return quoted.substr(1, quoted.size() - 2);
}

bool is_object(std::string_view json) {
  return !json.empty() && json.front() == '{' && is_json(json);
}

std::optional<JobRow> whole(JobRow row) {
  if (row.id.empty() || row.status.empty()) return std::nullopt;
  return row;
}

// "taskId" -> "task_id"
std::string column_of_key(std::string_view key) {
  std::string column;
  for (const char c : key) {
    if (c >= 'A' && c <= 'Z') column.push_back('_');
    column.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return column;
}

std::string row_text(const JobRow& row) {
  const bool waits = row.status == "pending";
  const auto& since = row.ended() ? row.completed_us : waits ? row.created_us : row.started_us;
  std::string text = fmt::format("{}  {}", short_time(since), row.status);
  const std::optional<std::string>& more = row.result ? row.result : row.error;
  if (more) {
    text.append("  ");
    append_visible(text, *more);
  }
  return text;
}

}  // namespace

std::optional<JobRow> job_of_stream(std::string_view data) {
  if (!is_object(data)) return std::nullopt;
  JobRow row;
  for (const JsonMember& member : json_members(data)) {
    set_from_json(row, column_of_key(bare(member.name)), member.value);
  }
  return whole(std::move(row));
}

std::optional<JobRow> job_of_change(std::string_view data) {
  if (!is_object(data)) return std::nullopt;
  for (const JsonMember& member : json_members(data)) {
    if (bare(member.name) != "new" || !is_object(member.value)) continue;
    JobRow row;
    for (const JsonMember& column : json_members(member.value)) {
      set_from_json(row, bare(column.name), column.value);
    }
    return whole(std::move(row));
  }
  return std::nullopt;
}

bool JobFollower::show(const JobRow& row) {
  if (last_ == row) return !row.ended();
  last_ = row;
  const auto printed = print((as_json_ ? job_json(row) : row_text(row)) + "\n");
  if (!printed) return stop_with(printed.error());
  return !row.ended();
}

void JobFollower::on_retry(const StreamRetry& retry) {
  std::fprintf(stderr, "rtctl: %s; again in %s\n", retry.reason.text.c_str(),
               format_duration(retry.delay).c_str());
}

bool JobFollower::stop_with(Error error) {
  failure_ = std::move(error);
  return false;
}

bool StreamFollower::on_event(const StreamEvent& event) {
  if (const auto row = job_of_stream(event.data)) return show(*row);
  if (event.data.find("\"not_found\"") != std::string_view::npos) {
    return stop_with(Error{Code::refused, fmt::format("there is no job {}", id()), {}});
  }
  return stop_with(
      Error{Code::refused, "the server's answer is no job", "is --url that of \"rtctl serve\"?"});
}

bool ChangeFollower::on_event(const StreamEvent& event) {
  const auto position = Position::parse(event.id);
  if (position && *position <= seen_) return true;
  const auto row = job_of_change(event.data);
  return !row || row->id != id() || show(*row);
}

void ChangeFollower::on_open(bool /*again*/) {
  const auto now = look_();
  bool goes_on = true;
  if (!now) {
    goes_on = stop_with(now.error());
  } else if (!now->row) {
    goes_on = stop_with(Error{Code::refused, fmt::format("job {} is gone", id()), {}});
  } else {
    seen_ = now->seen;
    goes_on = show(*now->row);
  }
  if (!goes_on) stop_();
}

}  // namespace rt::rtctl
