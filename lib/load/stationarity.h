// Have latencies settled? Looks at the p95 of each 5 s, the last four of them: a line fitted
// through them must be level, and what is left beside the line small. Both are measured against the
// p95 itself and against the claim, because a drift that cannot change a verdict is none. One
// thread.
#pragma once

#include <vector>

#include "load/histogram.h"

namespace rt {

class Stationarity {
 public:
  static constexpr std::size_t kSeconds = 5;  // of one p95
  static constexpr std::size_t kWindows = 4;  // p95s that are looked at: 20 s

  // claim_us: the tightest latency that the run is to prove.
  explicit Stationarity(double claim_us) : claim_us_(claim_us) {}

  // Deliveries of one second; of a second without any nothing is known.
  void add_second(const Histogram& deliveries);

  bool is_stationary() const;
  const std::vector<double>& p95s() const { return p95s_; }  // in us

 private:
  double claim_us_;
  Histogram window_;
  std::size_t seconds_ = 0;  // in the window
  std::vector<double> p95s_;
};

}  // namespace rt
