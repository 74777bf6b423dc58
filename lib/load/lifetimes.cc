#include "load/lifetimes.h"

#include <algorithm>

#include "load/lognormal.h"

namespace rt {
namespace {

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
    case DurationSpec::Dist::lognormal:
      ns = lognormal(low, high, random);
      break;
  }
  return Duration(static_cast<std::int64_t>(std::clamp(ns, 0.0, kLongestNs)));
}

}  // namespace rt
