// The result of a run for a pull request: GitHub's Markdown, the verdict first, gates folded away.
#pragma once

#include <string>

#include "load/outcome.h"
#include "load/scenario.h"
#include "load/verdict.h"

namespace rt {

std::string markdown_report(const Scenario& scenario, const Outcome& outcome,
                            const Verdict& verdict);  // pure

}  // namespace rt
