#include "rtctl/jobs_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/text.h"
#include "base/units.h"
#include "rtctl/terminal_text.h"

namespace rt::rtctl {
namespace {

// Characters, as a terminal counts them: bytes that begin one.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

void declare_jobs_format(CLI::App* verb, std::string& format) {
  verb->add_option("--format", format, "How it is printed")
      ->check(CLI::IsMember({"text", "json", "ndjson"}))
      ->capture_default_str();
}

std::string Table::text(bool aligned) const {
  std::vector<std::vector<std::string>> lines;
  std::vector<std::string> titles;
  for (const Column& column : columns) titles.push_back(column.title);
  lines.push_back(std::move(titles));
  for (const auto& row : rows) {
    std::vector<std::string> cells;
    for (const std::string& cell : row) append_visible(cells.emplace_back(), cell);
    lines.push_back(std::move(cells));
  }
  std::vector<std::size_t> widths(columns.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
  }
  std::string out;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (i > 0) out.append(aligned ? "  " : "\t");
      const std::size_t pad = aligned ? widths[i] - width(line[i]) : 0;
      if (columns[i].right) out.append(pad, ' ');
      out.append(line[i]);
      if (!columns[i].right && i + 1 < line.size()) out.append(pad, ' ');
    }
    out.push_back('\n');
  }
  return out;
}

std::string found_job_json(const FoundJob& job) {
  std::string out = job_json(job.row);
  out.pop_back();
  out.append(fmt::format(",\"state\":\"{}\",\"retryCount\":{},\"retryLimit\":{},\"priority\":{}",
                         job.state, job.retry_count, job.retry_limit, job.priority));
  out.append(",\"startAfter\":");
  if (job.start_after_us) {
    out.append(fmt::format("\"{}\"", format_rfc3339_ms(from_unix_us(*job.start_after_us))));
  } else {
    out.append("null");
  }
  return out.append("}");
}

std::string queue_stats_json(const QueueStats& stats) {
  std::string out = "{\"queue\":";
  append_json_string(out, stats.queue);
  out.append(",\"policy\":");
  append_json_string(out, stats.policy);
  for (std::size_t i = 0; i < kJobStates.size(); ++i) {
    out.append(fmt::format(",\"{}\":{}", kJobStates[i], stats.counts[i]));
  }
  out.append(",\"oldestWaitingSeconds\":");
  out.append(stats.oldest_waiting_s ? std::to_string(*stats.oldest_waiting_s) : "null");
  return out.append("}");
}

std::string json_lines(const std::vector<std::string>& objects, const std::string& format) {
  const bool array = format == "json";
  std::string out = array ? "[" : "";
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (array) out.append(i == 0 ? "\n  " : ",\n  ");
    out.append(objects[i]);
    if (!array) out.push_back('\n');
  }
  if (array) out.append(objects.empty() ? "]\n" : "\n]\n");
  return out;
}

std::string short_time(const std::optional<std::int64_t>& unix_us) {
  if (!unix_us) return "-";
  std::string text = format_rfc3339(from_unix_us(*unix_us)).substr(0, 19);
  text[10] = ' ';
  return text;
}

Result<int> print(const std::string& text) {
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (whole && std::fflush(stdout) == 0) return 0;
  if (errno == EPIPE) return 0;  // the reader has seen enough
  return fail(os_error("cannot write to standard output", errno, Code::limit));
}

}  // namespace rt::rtctl
