#include "load/stationarity.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace rt {
namespace {

constexpr double kOfItself = 0.1;  // of the mean p95
constexpr double kOfClaim = 0.02;

struct Line {
  double mean = 0;
  double rise = 0;    // from the first value to the last
  double spread = 0;  // standard deviation of what the line leaves
};

// Least squares.
Line fitted(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  Line line;
  for (const double value : values) line.mean += value / n;
  double products = 0;
  double squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = static_cast<double>(i) - (n - 1) / 2;
    products += x * (values[i] - line.mean);
    squares += x * x;
  }
  const double slope = products / squares;
  line.rise = slope * (n - 1);
  double rest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = static_cast<double>(i) - (n - 1) / 2;
    rest += std::pow(values[i] - line.mean - slope * x, 2) / n;
  }
  line.spread = std::sqrt(rest);
  return line;
}

}  // namespace

void Stationarity::add_second(const Histogram& deliveries) {
  window_.add(deliveries);
  if (++seconds_ < kSeconds) return;
  if (!window_.empty()) p95s_.push_back(window_.percentile_us(0.95));
  window_ = Histogram();
  seconds_ = 0;
}

bool Stationarity::is_stationary() const {
  if (p95s_.size() < kWindows) return false;
  const Line line = fitted(std::span(p95s_).last(kWindows));
  const double limit = std::max(kOfItself * line.mean, kOfClaim * claim_us_);
  return std::fabs(line.rise) <= limit && line.spread <= limit;
}

}  // namespace rt
