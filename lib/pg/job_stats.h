// How many jobs each queue of pg-boss holds in each state, counted now.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pg/connection.h"
#include "pg/job_schema.h"

namespace rt {

inline constexpr std::array<std::string_view, 6> kJobStates = {"created",   "retry",     "active",
                                                               "completed", "cancelled", "failed"};

struct QueueStats {
  std::string queue;
  std::string policy;
  std::array<std::uint64_t, kJobStates.size()> counts{};
  std::optional<std::uint64_t> oldest_waiting_s{};  // of those that could run now
};

// All queues but pg-boss's own, by name; or the one named. Looks at every job.
Result<std::vector<QueueStats>> job_stats(Connection& connection, const JobSchema& schema,
                                          const std::string& queue);

}  // namespace rt
