#include "load/lifetimes.h"

#include <algorithm>
#include <cmath>

namespace rt {
namespace {

constexpr double kTwoPi = 6.283185307179586;
constexpr double kZOf99 = 2.3263478740408408;  // of the standard normal distribution
constexpr double kLongestNs = 86'400e9 * 365;  // beyond any run

}  // namespace

Duration draw(const DurationSpec& spec, Random& random) {
  const auto low = static_cast<double>(spec.low.count());
  const auto high = static_cast<double>(spec.high.count());
  double ns = low;
  switch (spec.dist) {
    case DurationSpec::Dist::fixed:
      break;
    case DurationSpec::Dist::uniform:
      ns = low + (high - low) * random.unit();
      break;
    case DurationSpec::Dist::exponential:
      ns = random.exponential(low);
      break;
    case DurationSpec::Dist::lognormal: {
      const double radius = std::sqrt(-2 * std::log1p(-random.unit()));
      const double normal = radius * std::cos(kTwoPi * random.unit());
      ns = low * std::exp(std::log(high / low) / kZOf99 * normal);
      break;
    }
  }
  return Duration(static_cast<std::int64_t>(std::clamp(ns, 0.0, kLongestNs)));
}

}  // namespace rt
