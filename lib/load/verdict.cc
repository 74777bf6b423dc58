#include "load/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace rt {
namespace {

constexpr std::array kPrecedence = {8, 2, 5, 3, 4, 6, 7, 1};

std::size_t precedence(int exit_status) {
  return static_cast<std::size_t>(std::find(kPrecedence.begin(), kPrecedence.end(), exit_status) -
                                  kPrecedence.begin());
}

// Who is at fault decides the word: the target (FAIL), or this side (INVALID).
VerdictWord word_of(int exit_status) {
  switch (exit_status) {
    case 0:
      return VerdictWord::pass;
    case 1:
    case 3:
    case 4:
    case 6:
      return VerdictWord::fail;
    default:
      return VerdictWord::invalid;
  }
}

void add_threshold_reason(const ThresholdResult& result, std::vector<Reason>& reasons) {
  const Threshold& threshold = result.threshold;
  const std::string in = threshold.phase.empty() ? "" : " in phase " + threshold.phase;
  if (threshold.severity == Severity::warn || result.state == ThresholdState::pass) return;
  if (result.state == ThresholdState::unmeasured) {
    reasons.push_back(
        {7, "threshold", fmt::format("{}{}: nothing was measured", threshold.text, in)});
    return;
  }
  const int status = threshold.metric == Metric::integrity ? 6 : 1;
  reasons.push_back({status, "threshold",
                     fmt::format("{}{}: measured {}", threshold.text, in, result.measured_text)});
}

}  // namespace

const char* verdict_word(VerdictWord word) {
  switch (word) {
    case VerdictWord::pass:
      return "PASS";
    case VerdictWord::fail:
      return "FAIL";
    case VerdictWord::invalid:
      return "INVALID";
  }
  return "INVALID";
}

Verdict judge(const Scenario& scenario, const Outcome& outcome) {
  return judge(scenario, outcome, judge_gates(scenario, outcome));
}

Verdict judge(const Scenario& scenario, const Outcome& outcome, std::vector<GateResult> gates) {
  Verdict verdict;
  verdict.gates = std::move(gates);
  for (const GateResult& gate : verdict.gates) {
    if (gate.exit_status == 0) continue;
    verdict.reasons.push_back(
        {gate.exit_status, "gate " + gate.name,
         fmt::format("{}: {}; limit {}; {}", gate.name, gate.measured, gate.limit, gate.hint)});
  }
  for (const Threshold& threshold : scenario.thresholds) {
    verdict.thresholds.push_back(evaluate(threshold, outcome));
    add_threshold_reason(verdict.thresholds.back(), verdict.reasons);
  }
  if (!outcome.broken_claim.empty()) {
    verdict.reasons.push_back({1, "threshold", "ended early: " + outcome.broken_claim});
  }
  std::stable_sort(verdict.reasons.begin(), verdict.reasons.end(),
                   [](const Reason& a, const Reason& b) {
                     return precedence(a.exit_status) < precedence(b.exit_status);
                   });
  if (!verdict.reasons.empty()) verdict.exit_status = verdict.reasons.front().exit_status;
  verdict.word = word_of(verdict.exit_status);
  if (outcome.interrupted_by != 0 && verdict.exit_status != 8) {
    verdict.exit_status = 128 + outcome.interrupted_by;
  }
  return verdict;
}

}  // namespace rt
