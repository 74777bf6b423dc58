// The machine-readable report: schema "rtbench.report/1". Names never change within a version;
// times are in milliseconds unless their name says otherwise. A percentile that falls on deliveries
// that never came is null, and its name is listed in "infinite" beside it; one of nothing at all is
// null alone. Each "hist" carries the counts (hdr_encoding.h), so that a report can be rendered
// again (stored_report.h) and those of shards added up. The schema: `rtbench schema report`.
#pragma once

#include <string>

#include "base/result.h"
#include "load/outcome.h"
#include "load/scenario.h"
#include "load/verdict.h"

namespace rt {

inline constexpr char kReportSchema[] = "rtbench.report/1";
inline constexpr int kReportSchemaVersion = 1;

// Indented JSON with a final LF. Pure.
std::string json_report(const Scenario& scenario, const Outcome& outcome, const Verdict& verdict);

// Writes beside `path` and renames, so that a reader sees the whole report or none; makes its
// folder.
Result<void> write_report(const std::string& path, const std::string& text);

}  // namespace rt
