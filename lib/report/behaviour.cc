#include "report/behaviour.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "load/figures.h"

namespace rt {
namespace {

using Json = nlohmann::ordered_json;

// Milliseconds; what is infinite or was not measured has no number in JSON.
Json milliseconds(double us) {
  if (std::isinf(us)) return "inf";
  return std::isnan(us) ? Json(nullptr) : Json(us / 1'000);
}

}  // namespace

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
  const ChurnCounts& churn = outcome.churn;
  if (churn.left > 0 || outcome.resume.storm_losses > 0) {
    lines += fmt::format("churn     left {}  replaced {}  put off {}  taken by storms {}\n",
                         format_count(churn.left), format_count(churn.replaced),
                         format_count(churn.held_back), format_count(outcome.resume.storm_losses));
  }
  return lines;
}

Json cohorts_json(const Outcome& outcome) {
  Json out = Json::object();
  for (const CohortOutcome& cohort : outcome.cohorts) {
    const PhaseOutcome all = cohort.measured();
    Json percentiles = Json::object();
    for (const auto& [name, quantile] :
         {std::pair{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99_9", 0.999}}) {
      percentiles[name] = milliseconds(all.delivery.percentile_us(quantile, all.undelivered()));
    }
    out[cohort.name] = {{"share", cohort.share},
                        {"connections", cohort.connections},
                        {"judged", cohort.judged},
                        {"delivery",
                         {{"expected", all.expected},
                          {"received", all.received},
                          {"replayed", all.replayed},
                          {"undelivered", all.undelivered()},
                          {"percentiles", std::move(percentiles)}}}};
  }
  return out;
}

Json churn_json(const Outcome& outcome) {
  return {{"left", outcome.churn.left},
          {"replaced", outcome.churn.replaced},
          {"held_back", outcome.churn.held_back},
          {"storm_losses", outcome.resume.storm_losses}};
}

}  // namespace rt
