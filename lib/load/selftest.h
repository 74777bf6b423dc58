// The tool's floor on this machine: the same engine against a null server in the same process
// (null_server.h). A run is judged beside it: latency near the floor is this machine's, not the
// target's. Blocks for a little more than the two durations.
#pragma once

#include <chrono>
#include <functional>

#include "base/clock.h"
#include "base/result.h"
#include "load/outcome.h"

namespace rt {

struct SelftestOptions {
  Duration latency = std::chrono::seconds(3);     // one event to one subscriber, 1,000 a second
  Duration throughput = std::chrono::seconds(2);  // every event to 100, as fast as it goes
  std::function<int(std::chrono::milliseconds)> pause;  // see EngineParts
};

// A short one, for the beginning of a run.
inline constexpr Duration kShortFloorLatency = std::chrono::milliseconds(600);
inline constexpr Duration kShortFloorThroughput = std::chrono::milliseconds(300);

// Code::cancelled after a signal.
Result<Floor> measure_floor(const SelftestOptions& options, const Clock& clock);

}  // namespace rt
