// How measured figures are written for people, the same in gates, thresholds and reports. Pure.
#pragma once

#include <string>

#include "load/threshold.h"

namespace rt {

// Microseconds as milliseconds with three significant digits or so: "0.21", "118.4", "2500", "inf",
// "-" (nothing measured). ms_text adds the unit.
std::string ms_number(double us);
std::string ms_text(double us);
std::string percent_text(double share);  // 0.9987 -> "99.87 %"
std::string figure_text(double value, Quantity quantity);

}  // namespace rt
