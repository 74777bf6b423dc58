// Adding up the outcomes of shards. Counts and histograms are added, gauges keep the worst, and
// nothing is averaged: the order and grouping of additions does not matter, and the sum is what one
// machine would have counted. Pure; any thread.
#pragma once

#include <span>

#include "base/result.h"
#include "load/outcome.h"
#include "load/scenario.h"
#include "load/verdict.h"

namespace rt {

// Outcomes of disjoint parts of one run. Code::usage, naming what differs, when they are not: other
// scenario, seed, run id or number of shards, phases that do not match, or a shard twice.
Result<Outcome> merge_outcomes(std::span<const Outcome> parts);

// The verdict on a merged run, given once: thresholds, intervals and most gates on the sum. A gate
// about a machine itself (its clock, its processor, its limits) is as content as it is on the worst
// of them, which the sum could hide.
Verdict judge_merged(const Scenario& scenario, const Outcome& merged,
                     std::span<const Outcome> parts);

}  // namespace rt
