// The lognormal distribution as a scenario gives it: by its median and its 99th percentile.
#pragma once

#include <cmath>

#include "base/random.h"

namespace rt {

// Not bounded: the caller cuts at what makes sense.
inline double lognormal(double median, double p99, Random& random) {
  constexpr double kTwoPi = 6.283185307179586;
  constexpr double kZOf99 = 2.3263478740408408;  // of the standard normal distribution
  // Box and Muller: one normal variate of two uniform ones.
  const double radius = std::sqrt(-2 * std::log1p(-random.unit()));
  const double normal = radius * std::cos(kTwoPi * random.unit());
  return median * std::exp(std::log(p99 / median) / kZOf99 * normal);
}

}  // namespace rt
