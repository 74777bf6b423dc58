// All reports as one table: what each is called, and how it is made. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "load/outcome.h"
#include "load/scenario.h"
#include "load/verdict.h"

namespace rt {

struct ReportFormat {
  std::string_view name;       // --report NAME=FILE
  std::string_view extension;  // of the file that a scenario asks for
  std::string (*make)(const Scenario& scenario, const Outcome& outcome, const Verdict& verdict);
};

std::span<const ReportFormat> report_formats();
const ReportFormat* find_report_format(std::string_view name);
std::string report_format_names();  // "json, text, ..."

}  // namespace rt
