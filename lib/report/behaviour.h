// What subscribers did of themselves, in reports: cohorts, churn, storms. Pure.
#pragma once

#include <string>

#include "load/outcome.h"

namespace rt {

// A line for each cohort, one for churn and storms if there were any, and, where nothing was
// published, one for the signs of life of the streams.
std::string behaviour_lines(const Outcome& outcome);

}  // namespace rt
