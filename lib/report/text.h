// The summary of a run for a person: the verdict first, at most 25 lines of at most 120 columns or
// so.
#pragma once

#include <string>

#include "load/outcome.h"
#include "load/scenario.h"
#include "load/verdict.h"

namespace rt {

// ANSI colours only if asked; the text is the same without. Every line ends with LF. Pure.
std::string text_report(const Scenario& scenario, const Outcome& outcome, const Verdict& verdict,
                        bool colour);

}  // namespace rt
