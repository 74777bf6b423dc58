// Where reports go: --report json=FILE,html=FILE,..., and what the scenario asks for.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "load/outcome.h"
#include "load/scenario.h"
#include "load/verdict.h"
#include "report/formats.h"

namespace rt::rtbench {

struct ReportFile {
  const ReportFormat* format = nullptr;
  std::string path;
};

// "json=a.json,junit=b.xml". Code::usage for an unknown kind.
Result<std::vector<ReportFile>> parse_report_files(const std::vector<std::string>& words);
// Adds what the scenario itself asks for, unless that kind is there already.
void add_scenario_reports(const Scenario& scenario, std::vector<ReportFile>& files);
// Writes all of them even if one fails; returns the first error. "-" is standard output.
Result<void> write_report_files(const std::vector<ReportFile>& files, const Scenario& scenario,
                                const Outcome& outcome, const Verdict& verdict);

}  // namespace rt::rtbench
