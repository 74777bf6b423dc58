#include "report/summary.h"

#include <fmt/format.h>

#include "load/figures.h"

namespace rt {

std::string verdict_label(const Outcome& outcome, const Verdict& verdict) {
  if (!outcome.part || outcome.part->is_whole()) return verdict_word(verdict.word);
  std::string have;
  for (const unsigned number : outcome.part->have) {
    have += fmt::format("{}{}", have.empty() ? "" : ",", number);
  }
  return fmt::format("PART {} of {}", have, outcome.part->shards);
}

std::string claim_text(const Outcome& outcome, const Verdict& verdict) {
  if (!outcome.publishes) return "nothing was published: delivery latency cannot be measured";
  const PhaseOutcome measured = outcome.measured();
  std::string out = "p95 " + ms_text(measured.delivery.percentile_us(0.95, measured.undelivered()));
  for (const ThresholdResult& result : verdict.thresholds) {
    const Threshold& threshold = result.threshold;
    const bool upper =
        threshold.comparison == Comparison::less || threshold.comparison == Comparison::less_equal;
    if (!upper || threshold.metric != Metric::delivery || threshold.stat != "p95") continue;
    if (threshold.times_baseline || !threshold.cohort.empty()) continue;
    const bool met = result.state == ThresholdState::pass;
    out += fmt::format(" {} {}", met ? "<" : "not <", ms_text(threshold.value));
    break;
  }
  const auto interval = delivery_interval(outcome, measured, 0.95);
  if (interval.known) {
    out += fmt::format(" (95 % CI {}-{})", ms_number(interval.low_us), ms_number(interval.high_us));
  }
  return out;
}

}  // namespace rt
