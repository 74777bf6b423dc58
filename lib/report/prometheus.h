// Figures in the Prometheus text format (version 0.0.4): of a finished run, and of one under way.
// Base units: seconds, bytes. A scrape is for looking; the verdict never comes from it. Pure.
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <string>
#include <string_view>

#include "load/outcome.h"
#include "load/verdict.h"

namespace rt {

std::string prometheus_report(const Outcome& outcome, const Verdict& verdict);

// Where a run stands; totals since it began.
struct LiveFigures {
  std::string_view scenario;
  std::string_view phase;
  double elapsed_s = 0;
  std::uint64_t asked = 0;
  std::uint64_t gave_up = 0;
  std::uint64_t offered = 0;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  SecondSample second;  // the last one
};
std::string prometheus_live(const LiveFigures& live);

}  // namespace rt
