// Is the new run slower than the base? A ratio of percentiles with its interval, held against a
// margin: no worse (the whole interval lies below 1 + margin), worse (it lies above), or undecided.
// One noisy point is no evidence, so nothing is decided by the ratio alone.
//
// The interval of one run's percentile is by rank, clustered by event and second (interval.h). Of
// several runs on one side the spread between them counts too, and the larger of both is taken.
// Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "load/outcome.h"
#include "load/scenario.h"

namespace rt {

enum class CompareWord : std::uint8_t { no_worse, worse, undecided };
const char* compare_word(CompareWord word);  // "no worse", "worse", "undecided"

struct RatioResult {
  std::string stat;  // "p95"
  double base_us = 0;
  double new_us = 0;
  double ratio = 0;  // new / base; +inf when deliveries of the new one never came; NaN: unknown
  double low = 0;    // its 95 % interval
  double high = 0;
  CompareWord word = CompareWord::undecided;
};

// `stat`: p50, p90, p95, p99 or p99.9 of the deliveries of all measured phases. margin: 0.05.
RatioResult compare_percentile(std::span<const Outcome> base, std::span<const Outcome> next,
                               std::string_view stat, double margin);

// The digest of a scenario without where it was pointed at and where reports go: two runs compare
// when this is the same.
std::string workload_digest(const Scenario& scenario);

}  // namespace rt
