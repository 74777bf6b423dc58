// From values to shares of an axis. Internal to the charts.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "report/svg_chart.h"

namespace rt {

class ChartScale {
 public:
  explicit ChartScale(const ChartAxis& axis) : logarithmic_(axis.logarithmic), ticks_(axis.ticks) {}

  void cover(double value);
  // After the last cover(). Rounded: out to whole ticks, a linear one from 0 on.
  void settle(bool round);

  double share(double value) const;  // 0..1 within the axis
  double low() const { return low_; }
  double high() const { return high_; }
  const std::vector<ChartTick>& ticks() const { return ticks_; }
  std::string label(double value) const;  // of the nearest tick where ticks are given

 private:
  double position(double value) const;

  bool logarithmic_;
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
  std::vector<ChartTick> ticks_;
};

}  // namespace rt
