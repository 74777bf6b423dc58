// The realtime surface as the server takes it. docs/realtime.md.
#pragma once

#include <memory>
#include <string>

#include "pipe/realtime_bus.h"
#include "server/realtime_endpoint.h"
#include "server/surface_parts.h"

namespace rt::server {

struct RealtimeSurfaceOptions {
  RealtimeHttp http;                 // event_bytes_max is what the bus leaves
  std::string transport = "memory";  // its name, for people
  std::string origin;                // of this instance: another one than any other's, ever
};

// Not connected to its transport it serves this instance alone, and its health is `degraded`.
SurfaceParts realtime_parts(std::shared_ptr<RealtimeBus> bus, RealtimeSurfaceOptions options);

}  // namespace rt::server
