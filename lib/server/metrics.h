// What GET /metrics says: the server's counts in Prometheus' text format 0.0.4. Pure but for
// read_process_facts(). Source: https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/counters.h"
#include "server/health.h"
#include "server/surface_parts.h"

namespace rt::server {

// Of this process; 0 where the machine does not say.
struct ProcessFacts {
  std::uint64_t resident_bytes = 0;
  double cpu_seconds = 0;  // user and system
};
ProcessFacts read_process_facts();

struct MetricsFacts {
  SourceHealth source;
  std::vector<NamedHealth> surfaces;
  ProcessFacts process;
  std::size_t shards = 0;
  WallTime started;
  WallTime now;
};

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

std::string metrics_text(const Counters& counters, const MetricsFacts& facts);

}  // namespace rt::server
