// evaluate(): the figure a threshold names, taken from an Outcome, and whether it holds.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "load/figures.h"
#include "load/outcome.h"
#include "load/threshold.h"

namespace rt {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinite = std::numeric_limits<double>::infinity();

struct Quantile {
  std::string_view name;
  double value;
};
constexpr std::array kQuantiles = {Quantile{"p50", 0.5}, Quantile{"p90", 0.9},
                                   Quantile{"p95", 0.95}, Quantile{"p99", 0.99},
                                   Quantile{"p99.9", 0.999}};

// A figure of a latency of which `missing` values never came: those are infinite.
double latency_figure(const Histogram& histogram, std::uint64_t missing, const std::string& stat) {
  if (stat == "count") return static_cast<double>(histogram.count());
  if (histogram.empty() && missing == 0) return kNothing;
  for (const Quantile& quantile : kQuantiles) {
    if (quantile.name == stat) return histogram.percentile_us(quantile.value, missing);
  }
  if (stat == "min") return histogram.empty() ? kInfinite : static_cast<double>(histogram.min_us());
  if (missing > 0) return kInfinite;  // max and mean
  return stat == "max" ? static_cast<double>(histogram.max_us()) : histogram.mean_us();
}

double share(double part, double whole) {
  return whole > 0 ? part / whole : kNothing;
}
double real(std::uint64_t count) {
  return static_cast<double>(count);
}
double if_known(double value) {
  return value > 0 ? value : kNothing;
}

double delivery_figure(const Threshold& threshold, const PhaseOutcome& phase) {
  if (threshold.stat == "ratio") return share(real(phase.received), real(phase.expected));
  if (threshold.stat == "rate") return share(real(phase.received), phase.duration_s);
  const bool intended = threshold.metric == Metric::intended;
  return latency_figure(intended ? phase.intended : phase.delivery, phase.undelivered(),
                        threshold.stat);
}

// What was kept for this very threshold, or nullptr.
const WorstCase* worst_case(const Threshold& threshold, const Outcome& outcome) {
  if (!is_worst(threshold.metric)) return nullptr;
  const char* const metric = threshold.metric == Metric::worst_conn ? "worst_conn" : "worst_topic";
  for (const WorstCase& worst : outcome.worst) {
    if (worst.metric == metric && worst.phase == threshold.phase &&
        worst.limit_us == threshold.value) {
      return &worst;
    }
  }
  return nullptr;
}

double connect_figure(const Threshold& threshold, const Outcome& outcome) {
  const ConnectionCounts& counts = outcome.connections;
  if (threshold.stat == "fail_ratio") return share(real(counts.failed_total()), real(counts.asked));
  return latency_figure(outcome.connect, counts.failed_total(), threshold.stat);
}

double integrity_figure(const Threshold& threshold, const Outcome& outcome,
                        const PhaseOutcome& phase) {
  if (threshold.stat == "undelivered") return real(phase.undelivered());
  const IntegrityCounts& counts = outcome.integrity;
  if (threshold.stat == "lost") return real(counts.lost);
  if (threshold.stat == "corrupt") return counts.corrupt ? real(*counts.corrupt) : kNothing;
  return real(threshold.stat == "duplicate" ? counts.duplicate : counts.reorder);
}

double measured_figure(const Threshold& threshold, const Outcome& outcome,
                       const PhaseOutcome& phase) {
  switch (threshold.metric) {
    case Metric::delivery:
    case Metric::intended:
      return delivery_figure(threshold, phase);
    case Metric::publish:
      return latency_figure(phase.publish, phase.sent - phase.acknowledged + phase.skipped,
                            threshold.stat);
    case Metric::late:
      return latency_figure(phase.late, phase.skipped, threshold.stat);
    case Metric::connect:
      return connect_figure(threshold, outcome);
    case Metric::first_event:
      return latency_figure(outcome.first_event, 0, threshold.stat);
    case Metric::resume:
      return latency_figure(
          outcome.resume.latency,
          outcome.resume.losses - std::min(outcome.resume.losses, outcome.resume.resumed),
          threshold.stat);
    case Metric::replay:
      return latency_figure(outcome.resume.replay, 0, threshold.stat);
    case Metric::heartbeat_gap:
      return latency_figure(outcome.heartbeat_gap, 0, threshold.stat);
    case Metric::commit_to_wire:
      if (phase.commit_to_wire.empty()) return kNothing;
      return latency_figure(phase.commit_to_wire, phase.undelivered(), threshold.stat);
    case Metric::tls:
      return latency_figure(outcome.tls, 0, threshold.stat);
    case Metric::worst_conn:
    case Metric::worst_topic: {
      const WorstCase* const worst = worst_case(threshold, outcome);
      if (worst == nullptr) return kNothing;
      return worst->never ? kInfinite : worst->high_us;
    }
    case Metric::wire_to_parse:
      return latency_figure(phase.receive_queue, 0, threshold.stat);
    case Metric::integrity:
      return integrity_figure(threshold, outcome, phase);
    case Metric::load:
      return share(real(phase.sent), real(phase.offered));
    case Metric::client:
      return threshold.stat == "busy" ? outcome.client.busy_max
                                      : if_known(outcome.client.bytes_per_connection);
    case Metric::target:
      if (!outcome.target.sampled) return kNothing;
      return threshold.stat == "cpu" ? outcome.target.cpu_cores
                                     : if_known(outcome.target.bytes_per_connection);
  }
  return kNothing;
}

// "252.2-300.0 ms (connection 212, topic run-17)"
std::string worst_text(const WorstCase& worst) {
  if (worst.never) return fmt::format("inf ({})", worst.who);
  return fmt::format("{}-{} ms ({})", ms_number(worst.low_us), ms_number(worst.high_us), worst.who);
}

bool holds(double measured, Comparison comparison, double value) {
  switch (comparison) {
    case Comparison::less:
      return measured < value;
    case Comparison::less_equal:
      return measured <= value;
    case Comparison::greater:
      return measured > value;
    case Comparison::greater_equal:
      return measured >= value;
    case Comparison::equal:
      return measured == value;
    case Comparison::not_equal:
      return measured != value;
  }
  return false;
}

// The deliveries a threshold is about: of a phase or of all measured ones, of a cohort or the rest.
std::optional<PhaseOutcome> deliveries(const Threshold& threshold, const Outcome& outcome,
                                       const std::string& phase) {
  if (threshold.cohort.empty() || threshold.cohort == "healthy") {
    return phase.empty() ? outcome.measured() : outcome.phase(phase);
  }
  for (const CohortOutcome& cohort : outcome.cohorts) {
    if (cohort.name != threshold.cohort) continue;
    if (phase.empty()) return cohort.measured();
    for (const PhaseOutcome& one : cohort.phases) {
      if (one.name == phase) return one;
    }
  }
  return std::nullopt;
}

double measured_in(const Threshold& threshold, const Outcome& outcome, const std::string& phase) {
  const auto found = deliveries(threshold, outcome, phase);
  return found ? measured_figure(threshold, outcome, *found) : kNothing;
}

// The phase that is called so, else the first that is measured; nullptr: none is.
const PhaseOutcome* baseline_phase(const Outcome& outcome) {
  const auto find = [&](const auto& is_it) {
    const auto found = std::find_if(outcome.phases.begin(), outcome.phases.end(), is_it);
    return found == outcome.phases.end() ? nullptr : &*found;
  };
  const PhaseOutcome* const named = find([](const PhaseOutcome& phase) {
    return phase.name == "baseline" || phase.tag == "baseline";
  });
  return named != nullptr ? named : find([](const PhaseOutcome& phase) { return phase.measured; });
}

// What "* baseline" comes to.
double baseline_limit(const Threshold& threshold, const Outcome& outcome) {
  constexpr double kNoiseUs = 1'000;
  const PhaseOutcome* const phase = baseline_phase(outcome);
  if (phase == nullptr) return kNothing;
  const double figure = measured_in(threshold, outcome, phase->name);
  const bool lenient = threshold.quantity == Quantity::duration && threshold.value >= 1;
  return std::max(threshold.value * figure, lenient ? figure + kNoiseUs : 0.0);
}

}  // namespace

ThresholdResult evaluate(const Threshold& threshold, const Outcome& outcome) {
  ThresholdResult result;
  result.threshold = threshold;
  result.measured = measured_in(threshold, outcome, threshold.phase);
  if (threshold.times_baseline) result.threshold.value = baseline_limit(threshold, outcome);
  result.measured_text = figure_text(result.measured, threshold.quantity);
  if (const WorstCase* const worst = worst_case(threshold, outcome)) {
    result.measured_text = worst_text(*worst);
  }
  if (std::isnan(result.measured) || std::isnan(result.threshold.value)) return result;
  result.state = holds(result.measured, threshold.comparison, result.threshold.value)
                     ? ThresholdState::pass
                     : ThresholdState::fail;
  return result;
}

}  // namespace rt
