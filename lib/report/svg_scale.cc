#include "report/svg_scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace rt {
namespace {

constexpr double kAbout = 5;             // ticks on an axis
constexpr std::size_t kLogTicksMax = 7;  // beyond it, powers of ten alone

std::string number_text(double value) {
  if (value >= 1e6) return fmt::format("{:g}M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:g}k", value / 1e3);
  return fmt::format("{:g}", value);
}

// 1, 2 or 5 times a power of ten, at least `step`.
double round_step(double step) {
  const double power = std::pow(10, std::floor(std::log10(step)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= step * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

std::vector<ChartTick> log_ticks(double low, double high, std::initializer_list<double> factors) {
  std::vector<ChartTick> out;
  const double first = std::floor(std::log10(low) + 1e-9);
  for (double power = first; power <= std::log10(high) + 1e-9; ++power) {
    for (const double factor : factors) {
      const double value = factor * std::pow(10, power);
      if (value < low * (1 - 1e-9) || value > high * (1 + 1e-9)) continue;
      out.push_back({value, number_text(value)});
    }
  }
  return out;
}

}  // namespace

std::vector<ChartTick> round_ticks(double low, double high, bool logarithmic) {
  if (logarithmic) {
    std::vector<ChartTick> ticks = log_ticks(low, high, {1.0, 2.0, 5.0});
    return ticks.size() <= kLogTicksMax ? ticks : log_ticks(low, high, {1.0});
  }
  std::vector<ChartTick> out;
  if (!(high > low)) return {{low, number_text(low)}};
  const double step = round_step((high - low) / kAbout);
  for (double at = std::ceil(low / step - 1e-9) * step; at <= high + step * 1e-6; at += step) {
    out.push_back({at, number_text(std::fabs(at) < step * 1e-6 ? 0 : at)});
  }
  return out;
}

void ChartScale::cover(double value) {
  if (!std::isfinite(value) || (logarithmic_ && value <= 0)) return;
  low_ = std::min(low_, value);
  high_ = std::max(high_, value);
}

void ChartScale::settle(bool round) {
  if (!(low_ <= high_)) low_ = high_ = logarithmic_ ? 1 : 0;
  if (round && logarithmic_) {
    // Half a decade of room at least, so that a flat line does not look like a mountain.
    high_ = std::max(high_ * 1.2, low_ * 3);
    low_ /= 1.2;
  } else if (round) {
    low_ = std::min(low_, 0.0);
    if (high_ <= low_) high_ = low_ + 1;
    const double step = round_step((high_ - low_) / kAbout);
    high_ = std::ceil(high_ / step - 1e-9) * step;
  } else if (high_ <= low_) {
    high_ = low_ + 1;
  }
  if (ticks_.empty()) {
    ticks_ = round_ticks(low_, high_, logarithmic_);
  } else {
    ticks_.erase(std::remove_if(ticks_.begin(), ticks_.end(),
                                [&](const ChartTick& tick) {
                                  return tick.at < low_ - 1e-9 || tick.at > high_ + 1e-9;
                                }),
                 ticks_.end());
  }
}

double ChartScale::position(double value) const {
  return logarithmic_ ? std::log10(std::max(value, low_)) : value;
}

double ChartScale::share(double value) const {
  const double low = position(low_);
  const double high = position(high_);
  return std::clamp((position(value) - low) / (high - low), 0.0, 1.0);
}

std::string ChartScale::label(double value) const {
  return fmt::format("{:.4g}", value);
}

}  // namespace rt
