// What GET /health says: one JSON object about the server as a whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/counters.h"
#include "server/surface_parts.h"

namespace rt::server {

// Of whatever feeds the server.
struct SourceHealth {
  const char* kind = "memory";  // "memory", "postgres", "archive"
  bool connected = true;
  std::uint64_t lag_bytes = 0;  // WAL the database has beyond what we confirmed
  std::uint64_t reconnects = 0;
};

struct NamedHealth {
  std::string_view surface;
  SurfaceHealth health;
};

// How old the last commit that we took is, while the source has more than we took: an idle database
// is not behind.
double replication_lag_seconds(const Counters& counters, const SourceHealth& source, WallTime now);

// What the log says once a minute: "subscribers=3 runs=7 events=9 lag_bytes=0 lag_s=0.0 ...".
std::string report_fields(const Counters& counters, const SourceHealth& source, WallTime now);

// status: "ok"; "draining" once the server ends; "warming" until the current state is complete;
// "degraded" if the source is disconnected, the history cannot be written, or a surface is not what
// it should be.
std::string health_json(const Counters& counters, const SourceHealth& source,
                        const std::vector<NamedHealth>& surfaces, std::size_t shards,
                        WallTime started, WallTime now);

}  // namespace rt::server
