// JUnit XML for continuous integration: one test case per threshold, per gate, and for what was
// lost, doubled, reordered and so on; of that, what the scenario does not judge or forgives is
// skipped. FAIL is a failure, INVALID an error, what was not measured or only
// warns is skipped or passes with its text.
#pragma once

#include <string>

#include "load/outcome.h"
#include "load/scenario.h"
#include "load/verdict.h"

namespace rt {

// Pure.
std::string junit_report(const Scenario& scenario, const Outcome& outcome, const Verdict& verdict);

}  // namespace rt
