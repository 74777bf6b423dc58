#include "rtbench/report_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/text.h"
#include "report/json.h"

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
      const ReportFormat* format = find_report_format(kind);
      if (format == nullptr) {
        return fail(Code::usage, fmt::format("--report {}: there is no report \"{}\"", part, kind),
                    "the kinds are " + report_format_names());
      }
      files.push_back({format, path});
    }
  }
  return files;
}

void add_scenario_reports(const Scenario& scenario, std::vector<ReportFile>& files) {
  for (const std::string& name : scenario.report.formats) {
    const ReportFormat* format = find_report_format(name);
    RT_CHECK(format != nullptr);
    const auto same = [&](const ReportFile& file) { return file.format == format; };
    if (std::any_of(files.begin(), files.end(), same)) continue;
    files.push_back(
        {format, fmt::format("{}/{}.{}", scenario.report.dir, scenario.name, format->extension)});
  }
}

Result<void> write_report_files(const std::vector<ReportFile>& files, const Scenario& scenario,
                                const Outcome& outcome, const Verdict& verdict) {
  Result<void> first;
  for (const ReportFile& file : files) {
    const std::string text = file.format->make(scenario, outcome, verdict);
    if (file.path == "-") {
      std::fwrite(text.data(), 1, text.size(), stdout);
      continue;
    }
    Result<void> written = write_report(file.path, text);
    if (!written && first) first = std::move(written);
  }
  return first;
}

}  // namespace rt::rtbench
