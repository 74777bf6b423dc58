// The run second by second, for spreadsheets and plots: a header line, then one line a second.
// Latencies are in milliseconds, and empty in a second without deliveries.
#pragma once

#include <string>

#include "load/outcome.h"

namespace rt {

std::string csv_report(const Outcome& outcome);  // pure

}  // namespace rt
