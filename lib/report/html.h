// The result of a run as one HTML file: the verdict first, then pictures, then every figure. No
// script and nothing from outside; light, dark and print; good on a phone.
#pragma once

#include <string>

#include "load/outcome.h"
#include "load/scenario.h"
#include "load/verdict.h"

namespace rt {

std::string html_report(const Scenario& scenario, const Outcome& outcome,
                        const Verdict& verdict);  // pure

}  // namespace rt
