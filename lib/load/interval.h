// Intervals of percentiles, by rank: which values could be the true percentile, given how many
// independent observations there were. Deliveries of one event share its fate, and events of one
// second share the second's stall, so deliveries are not independent:
//   by event:  the number of events, not of deliveries, sets the width of the ranks
//   by second: the share of deliveries below the percentile varies from second to second; that
//              variance (of a ratio, with seconds as clusters) sets it
// The wider of both is taken. Sources: Woodruff, "Confidence intervals for medians and other
// position measures", 1952; Cochran, "Sampling Techniques", 3rd edition, chapter 9. Pure.
#pragma once

#include <cstdint>

#include "load/outcome.h"

namespace rt {

struct PercentileInterval {
  bool known = false;  // false: too few events for a rank on both sides
  double low_us = 0;
  double high_us = 0;  // may be +inf
};

// By event alone.
PercentileInterval percentile_interval(const Histogram& histogram, std::uint64_t missing,
                                       std::uint64_t events, double quantile);

// Of the deliveries of `phase`: one of the outcome's, or all measured ones as one.
PercentileInterval delivery_interval(const Outcome& outcome, const PhaseOutcome& phase,
                                     double quantile);

}  // namespace rt
