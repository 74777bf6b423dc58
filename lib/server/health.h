// What GET /health says: one JSON object about the server as a whole.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "server/counters.h"

namespace rt::server {

// Of whatever feeds the server.
struct SourceHealth {
  const char* kind = "memory";  // "memory", "postgres", "archive"
  bool connected = true;
  std::uint64_t lag_bytes = 0;  // WAL the database has beyond what we confirmed
  std::uint64_t reconnects = 0;
};

// status: "ok"; "warming" until the current state is complete; "degraded" if the source is
// disconnected or the history cannot be written.
std::string health_json(const Counters& counters, const SourceHealth& source, std::size_t shards,
                        WallTime started, WallTime now);

}  // namespace rt::server
