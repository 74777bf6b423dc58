#include "report/junit.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace rt {
namespace {

// Control characters that XML cannot carry become spaces.
std::string escaped(std::string_view text) {
  std::string printable(text);
  for (char& c : printable) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  std::string out;
  append_markup_text(out, printable);
  return out;
}

enum class CaseState { pass, failure, error, skipped };

struct Suite {
  std::string cases;
  int tests = 0;
  int failures = 0;
  int errors = 0;
  int skipped = 0;

  void add(std::string_view kind, std::string_view name, CaseState state,
           std::string_view message) {
    ++tests;
    cases += fmt::format("  <testcase classname=\"rtbench.{}\" name=\"{}\"", kind, escaped(name));
    const char* element = nullptr;
    switch (state) {
      case CaseState::pass:
        cases += "/>\n";
        return;
      case CaseState::failure:
        element = "failure", ++failures;
        break;
      case CaseState::error:
        element = "error", ++errors;
        break;
      case CaseState::skipped:
        element = "skipped", ++skipped;
        break;
    }
    cases += fmt::format(">\n    <{} message=\"{}\"/>\n  </testcase>\n", element, escaped(message));
  }
};

CaseState gate_state(const GateResult& gate) {
  if (gate.waived || gate.verdict == GateVerdict::unmeasured) return CaseState::skipped;
  if (gate.verdict == GateVerdict::invalid) return CaseState::error;
  return gate.verdict == GateVerdict::fail ? CaseState::failure : CaseState::pass;
}

CaseState threshold_state(const ThresholdResult& result) {
  if (result.state == ThresholdState::pass) return CaseState::pass;
  if (result.threshold.severity == Severity::warn) return CaseState::skipped;
  return result.state == ThresholdState::fail ? CaseState::failure : CaseState::error;
}

void add_integrity(const Scenario& scenario, const Outcome& outcome, const Verdict& verdict,
                   Suite& suite) {
  const IntegrityCounts& i = outcome.integrity;
  const JudgedIntegrity judged = judged_integrity(scenario, outcome);
  const bool waived =
      std::any_of(verdict.gates.begin(), verdict.gates.end(),
                  [](const GateResult& gate) { return gate.name == "integrity" && gate.waived; });
  const auto count = [&](const char* name, std::uint64_t all, std::uint64_t counts,
                         const std::string& first) {
    const CaseState state = all == 0                ? CaseState::pass
                            : counts == 0 || waived ? CaseState::skipped
                                                    : CaseState::failure;
    suite.add("integrity", name, state,
              fmt::format("{} of {} deliveries{}; first: {}", all, i.received,
                          state == CaseState::skipped ? ", not judged" : "", first));
  };
  count("lost", i.lost, judged.lost, i.first_lost);
  count("duplicate", i.duplicate, judged.duplicate, i.first_duplicate);
  count("reorder", i.reorder, judged.reorder, i.first_reorder);
  if (i.corrupt) count("corrupt", *i.corrupt, judged.corrupt, i.first_corrupt);
  count("unasked", i.unasked, judged.unasked, i.first_unasked);
  count("deaf", i.deaf, judged.deaf, i.first_deaf);
}

}  // namespace

std::string junit_report(const Scenario& scenario, const Outcome& outcome, const Verdict& verdict) {
  Suite suite;
  for (const ThresholdResult& result : verdict.thresholds) {
    suite.add("threshold", result.threshold.text, threshold_state(result),
              "measured " + result.measured_text);
  }
  add_integrity(scenario, outcome, verdict, suite);
  for (const GateResult& gate : verdict.gates) {
    suite.add("gate", gate.name, gate_state(gate),
              fmt::format("{}{}; limit {}; {}", gate.waived ? "waived: " : "", gate.measured,
                          gate.limit, gate.hint));
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
      "time=\"{:.3f}\">\n"
      "{}</testsuite>\n",
      escaped(outcome.scenario), suite.tests, suite.failures, suite.errors, suite.skipped,
      outcome.duration_s, suite.cases);
}

}  // namespace rt
