#include "report/behaviour.h"

#include <fmt/format.h>

#include "base/units.h"
#include "load/figures.h"

namespace rt {

std::string behaviour_lines(const Outcome& outcome) {
  std::string lines;
  for (const CohortOutcome& cohort : outcome.cohorts) {
    const PhaseOutcome all = cohort.measured();
    lines += fmt::format("cohort    {}: {} connections  p95 {}  received {} of {}{}\n", cohort.name,
                         format_count(cohort.connections),
                         ms_text(all.delivery.percentile_us(0.95, all.undelivered())),
                         format_count(all.received), format_count(all.expected),
                         cohort.judged ? "" : "  (slow on purpose: not judged)");
  }
  if (const Histogram& gap = outcome.heartbeat_gap; !outcome.publishes && !gap.empty()) {
    lines += fmt::format("life      between two events or heartbeats: p50 {}  p95 {}  max {}\n",
                         ms_text(gap.percentile_us(0.5)), ms_text(gap.percentile_us(0.95)),
                         ms_text(static_cast<double>(gap.max_us())));
  }
  const ChurnCounts& churn = outcome.churn;
  if (churn.left > 0 || outcome.resume.storm_losses > 0) {
    lines += fmt::format("churn     left {}  replaced {}  put off {}  taken by storms {}\n",
                         format_count(churn.left), format_count(churn.replaced),
                         format_count(churn.held_back), format_count(outcome.resume.storm_losses));
  }
  return lines;
}

}  // namespace rt
