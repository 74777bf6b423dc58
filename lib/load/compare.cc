#include "load/compare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "load/document.h"
#include "load/interval.h"

namespace rt {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr double kDeviations = 1.96;  // of a 95 % interval

double quantile_of(std::string_view stat) {
  constexpr std::array<std::pair<std::string_view, double>, 5> kStats = {
      {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}}};
  for (const auto& [name, quantile] : kStats) {
    if (name == stat) return quantile;
  }
  return kNothing;
}

// The logarithm of a side's percentile, and its standard error.
struct Side {
  double log_us = kNothing;
  double error = kNothing;
};

Side side_of(std::span<const Outcome> runs, double quantile) {
  double sum = 0;
  double within = 0;  // sum of squares of the errors of single runs
  std::vector<double> logs;
  for (const Outcome& run : runs) {
    const PhaseOutcome m = run.measured();
    const double us = m.delivery.percentile_us(quantile, m.undelivered());
    const auto interval = delivery_interval(run, m, quantile);
    if (std::isinf(us)) return {std::numeric_limits<double>::infinity(), 0};
    if (!(us > 0)) return {};
    const double spread = interval.known && interval.low_us > 0
                              ? std::log(interval.high_us / interval.low_us) / (2 * kDeviations)
                              : kNothing;
    logs.push_back(std::log(us));
    sum += logs.back();
    within += spread * spread;
  }
  const double n = static_cast<double>(logs.size());
  if (logs.empty()) return {};
  Side side{sum / n, std::sqrt(within) / n};
  if (logs.size() < 2) return side;
  double squares = 0;
  for (const double log : logs) squares += (log - side.log_us) * (log - side.log_us);
  side.error = std::max(side.error, std::sqrt(squares / (n - 1) / n));
  return side;
}

}  // namespace

const char* compare_word(CompareWord word) {
  switch (word) {
    case CompareWord::no_worse:
      return "no worse";
    case CompareWord::worse:
      return "worse";
    case CompareWord::undecided:
      return "undecided";
  }
  return "undecided";
}

RatioResult compare_percentile(std::span<const Outcome> base, std::span<const Outcome> next,
                               std::string_view stat, double margin) {
  const double quantile = quantile_of(stat);
  const Side before = side_of(base, quantile);
  const Side after = side_of(next, quantile);
  RatioResult result;
  result.stat = stat;
  result.base_us = std::exp(before.log_us);
  result.new_us = std::exp(after.log_us);
  result.ratio = result.low = result.high = kNothing;
  // Deliveries that never came are worse than any that did; a base that lost some proves nothing.
  if (std::isinf(before.log_us) || std::isnan(before.log_us)) return result;
  if (std::isinf(after.log_us)) {
    result.ratio = result.low = result.high = std::numeric_limits<double>::infinity();
    result.word = CompareWord::worse;
    return result;
  }
  const double error = std::sqrt(before.error * before.error + after.error * after.error);
  result.ratio = std::exp(after.log_us - before.log_us);
  result.low = result.ratio * std::exp(-kDeviations * error);
  result.high = result.ratio * std::exp(kDeviations * error);
  if (result.high <= 1 + margin) result.word = CompareWord::no_worse;
  if (result.low > 1 + margin) result.word = CompareWord::worse;
  return result;
}

std::string workload_digest(const Scenario& scenario) {
  nlohmann::json document = nlohmann::json::parse(scenario.expanded, nullptr, false);
  if (!document.is_object()) return scenario.sha256;
  document.erase("report");
  document.erase("thresholds");
  document.erase("gates");
  if (const auto target = document.find("target"); target != document.end()) {
    for (const char* key : {"url", "publish_url", "pg", "pid_file", "metrics_url"}) {
      target->erase(key);
    }
  }
  return sha256_hex(document.dump());
}

}  // namespace rt
