// The pictures of the HTML report. Internal to lib/report.
#pragma once

#include <string>

#include "load/outcome.h"
#include "load/verdict.h"

namespace rt {

std::string html_charts(const Outcome& outcome, const Verdict& verdict);

}  // namespace rt
