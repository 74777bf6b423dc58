#include "load/interval.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace rt {
namespace {

constexpr double kDeviations = 1.96;  // of a 95 % interval
// With fewer clusters their variance is a guess itself.
constexpr std::size_t kSecondsMin = 10;

// Standard error of the share of deliveries below the quantile, with events as observations.
double error_by_event(std::uint64_t events, double quantile) {
  return std::sqrt(quantile * (1 - quantile) / static_cast<double>(events));
}

// The same with seconds as clusters; 0 when there are too few of them. `split_us` is the quantile.
double error_by_second(const Outcome& outcome, const PhaseOutcome& phase, double split_us) {
  struct Cluster {
    double below;
    double all;
  };
  std::vector<Cluster> clusters;
  Cluster sum{0, 0};
  const double end = phase.start_s + phase.duration_s;
  for (const SecondSample& second : outcome.series) {
    if (!second.measured || second.delivery.pairs.empty()) continue;
    // Half a second either way: samples are taken at the end of each second.
    if (second.at_s < phase.start_s + 0.5 || second.at_s > end + 0.5) continue;
    Cluster one{0, 0};
    for (const Histogram::Sparse::Pair& pair : second.delivery.pairs) {
      const double count = static_cast<double>(pair.count);
      one.all += count;
      if (static_cast<double>(Histogram::highest_of(pair.slot)) <= split_us) one.below += count;
    }
    sum.below += one.below;
    sum.all += one.all;
    clusters.push_back(one);
  }
  if (clusters.size() < kSecondsMin || sum.all == 0) return 0;
  const double ratio = sum.below / sum.all;
  double squares = 0;
  for (const Cluster& one : clusters) {
    const double off = one.below - ratio * one.all;
    squares += off * off;
  }
  const double n = static_cast<double>(clusters.size());
  return std::sqrt(squares * n / (n - 1)) / sum.all;
}

PercentileInterval by_ranks(const Histogram& histogram, std::uint64_t missing, double quantile,
                            double spread, double step) {
  PercentileInterval interval;
  interval.known = true;
  interval.low_us = histogram.percentile_us(std::max(quantile - spread, 1e-9), missing);
  interval.high_us = histogram.percentile_us(std::min(quantile + spread + step, 1.0), missing);
  return interval;
}

// The normal approximation needs 5 observations expected on the rare side.
bool has_enough(std::uint64_t events, double quantile) {
  return static_cast<double>(events) * std::min(quantile, 1 - quantile) >= 5 * (1 - 1e-9);
}

}  // namespace

PercentileInterval percentile_interval(const Histogram& histogram, std::uint64_t missing,
                                       std::uint64_t events, double quantile) {
  if (!has_enough(events, quantile)) return {};
  return by_ranks(histogram, missing, quantile, kDeviations * error_by_event(events, quantile),
                  1 / static_cast<double>(events));
}

PercentileInterval delivery_interval(const Outcome& outcome, const PhaseOutcome& phase,
                                     double quantile) {
  const std::uint64_t missing = phase.undelivered();
  if (!has_enough(phase.events, quantile)) return {};
  const double split = phase.delivery.percentile_us(quantile, missing);
  const double error =
      std::max(error_by_event(phase.events, quantile), error_by_second(outcome, phase, split));
  return by_ranks(phase.delivery, missing, quantile, kDeviations * error,
                  1 / static_cast<double>(phase.events));
}

}  // namespace rt
