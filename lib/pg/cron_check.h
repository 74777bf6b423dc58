// Whether a text is a cron expression that every known version of pg-boss evaluates: five fields,
// or six with seconds first, of lists, ranges, steps, names of months and days, "L" and "#"; or
// @yearly, @monthly, @weekly, @daily, @hourly. Occurrences are not computed here: that stays with
// pg-boss. Pure. Source: cron-parser 4.9 and 5.10, which pg-boss evaluates it with.
#pragma once

#include <string_view>

#include "base/result.h"

namespace rt {

// Code::usage names the field and what it may be: "hour "25" is not within 0 to 23".
Result<void> check_cron(std::string_view expression);

}  // namespace rt
