#include "rtbench/report_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/text.h"

namespace rt::rtbench {

Result<std::vector<ReportFile>> parse_report_files(const std::vector<std::string>& words) {
  std::vector<ReportFile> files;
  for (const std::string& word : words) {
    for (const std::string_view part : split(word, ',')) {
      const std::size_t equals = part.find('=');
      const std::string_view kind = part.substr(0, equals);
      const std::string path(equals == std::string_view::npos ? "" : part.substr(equals + 1));
      if (path.empty()) {
        return fail(Code::usage, fmt::format("--report {}: expected KIND=FILE", part));
      }
      if (kind == "json") {
        files.push_back({ReportFile::Kind::json, path});
      } else if (kind == "text") {
        files.push_back({ReportFile::Kind::text, path});
      } else if (kind == "junit") {
        files.push_back({ReportFile::Kind::junit, path});
      } else {
        return fail(Code::usage, fmt::format("--report {}: there is no report \"{}\"", part, kind),
                    "the kinds are json, text and junit");
      }
    }
  }
  return files;
}

void add_scenario_reports(const Scenario& scenario, std::vector<ReportFile>& files) {
  const auto add = [&](bool wanted, ReportFile::Kind kind, const char* extension) {
    const auto same = [&](const ReportFile& file) { return file.kind == kind; };
    if (!wanted || std::any_of(files.begin(), files.end(), same)) return;
    files.push_back({kind, fmt::format("{}/{}.{}", scenario.report.dir, scenario.name, extension)});
  };
  add(scenario.report.json, ReportFile::Kind::json, "json");
  add(scenario.report.junit, ReportFile::Kind::junit, "xml");
}

Result<void> write_report_files(const std::vector<ReportFile>& files, const Scenario& scenario,
                                const Outcome& outcome, const Verdict& verdict) {
  Result<void> first;
  for (const ReportFile& file : files) {
    std::string text;
    switch (file.kind) {
      case ReportFile::Kind::json:
        text = json_report(scenario, outcome, verdict);
        break;
      case ReportFile::Kind::text:
        text = text_report(scenario, outcome, verdict, /*colour=*/false);
        break;
      case ReportFile::Kind::junit:
        text = junit_report(outcome, verdict);
        break;
    }
    Result<void> written = write_report(file.path, text);
    if (!written && first) first = std::move(written);
  }
  return first;
}

}  // namespace rt::rtbench
