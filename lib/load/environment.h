// What this machine is, for the report: a figure without it cannot be compared with anything.
#pragma once

#include <cstdint>
#include <string_view>

#include "load/outcome.h"

namespace rt {

// Reads /proc and /sys; what cannot be read stays empty.
Environment read_environment(std::string_view tool_version);

// Processor time that was not ours to have, since boot.
struct StolenTime {
  std::int64_t total_ticks = 0;
  std::int64_t steal_ticks = 0;
  std::uint64_t throttled_us = 0;  // of this cgroup
};
StolenTime read_stolen_time();

}  // namespace rt
