// What subscribers did of themselves, in reports: cohorts, churn, storms. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "load/outcome.h"

namespace rt {

// A line for each cohort, and one for churn and storms if there were any.
std::string behaviour_lines(const Outcome& outcome);

// {"slow": {"connections": ..., "judged": false, "delivery": {...}}, ...}
nlohmann::ordered_json cohorts_json(const Outcome& outcome);
nlohmann::ordered_json churn_json(const Outcome& outcome);

}  // namespace rt
