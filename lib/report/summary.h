// The one sentence of a result, the same in every report. Pure; any thread.
#pragma once

#include <string>

#include "load/outcome.h"
#include "load/verdict.h"

namespace rt {

// "PASS"; "PART 2 of 4" for a shard, which makes no claim by itself.
std::string verdict_label(const Outcome& outcome, const Verdict& verdict);

// "p95 21.0 ms < 300.0 ms (95 % CI 20.9-21.1)", or what cannot be claimed.
std::string claim_text(const Outcome& outcome, const Verdict& verdict);

}  // namespace rt
