// JUnit XML for continuous integration: one test case per threshold, per gate, and for what was
// lost, doubled and reordered. FAIL is a failure, INVALID an error, what was not measured or only
// warns is skipped or passes with its text.
#pragma once

#include <string>

#include "load/outcome.h"
#include "load/verdict.h"

namespace rt {

std::string junit_report(const Outcome& outcome, const Verdict& verdict);  // pure

}  // namespace rt
