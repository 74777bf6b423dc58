// What `rtctl jobs` prints: tables for people, JSON for programs.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "pg/job_lookup.h"
#include "pg/job_stats.h"
#include "proto/job_row.h"

namespace rt::rtctl {

// --format text|json|ndjson
void declare_jobs_format(CLI::App* verb, std::string& format);

// Columns stand below each other on a terminal, and are separated by tabs elsewhere. Text of
// strangers is made visible. `right`: numbers.
struct Table {
  struct Column {
    std::string title;
    bool right = false;
  };
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;

  std::string text(bool aligned) const;
};

// One object on one line: the keys of job_json(), then state, retryCount, retryLimit, priority,
// startAfter.
std::string found_job_json(const FoundJob& job);
std::string queue_stats_json(const QueueStats& stats);

// A JSON array on several lines, or a line each: for the formats json and ndjson.
std::string json_lines(const std::vector<std::string>& objects, const std::string& format);

// "2026-03-29 00:30:00"; "-" for none.
std::string short_time(const std::optional<std::int64_t>& unix_us);

// Code::limit when standard output takes no more.
Result<int> print(const std::string& text);

}  // namespace rt::rtctl
