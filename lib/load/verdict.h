// The one answer of a run: PASS, FAIL (the target is at fault) or INVALID (the run cannot support a
// claim), with every reason and the exit code. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "load/gates.h"
#include "load/outcome.h"
#include "load/scenario.h"
#include "load/threshold.h"

namespace rt {

enum class VerdictWord : std::uint8_t { pass, fail, invalid };
const char* verdict_word(VerdictWord word);  // "PASS", "FAIL", "INVALID"

struct Reason {
  int exit_status = 0;
  std::string source;  // "gate clock", "threshold"
  std::string text;    // one line
};

struct Verdict {
  VerdictWord word = VerdictWord::pass;
  // Of the reasons, the first of 8, 2, 5, 3, 4, 6, 7, 1 that occurs; 0 without any. 128 + signal
  // for an interrupted run, unless the tool itself is at fault.
  int exit_status = 0;
  std::vector<Reason> reasons;  // in that order of precedence; [0] decided
  std::vector<ThresholdResult> thresholds;
  std::vector<GateResult> gates;
};

// Evaluates all gates and thresholds. A threshold that could not be measured is never a pass:
// INVALID.
Verdict judge(const Scenario& scenario, const Outcome& outcome);
// The same with gates that were judged before.
Verdict judge(const Scenario& scenario, const Outcome& outcome, std::vector<GateResult> gates);

}  // namespace rt
