#include "server/realtime_surface.h"

#include <fmt/format.h>

#include "pipe/realtime_intake.h"
#include "proto/realtime_event.h"
#include "server/realtime_board.h"

namespace rt::server {
namespace {

// What the server adds to an event, at most.
std::size_t stamp_bytes(const std::string& origin) {
  constexpr std::size_t kNumberBytes = 21;  // "-" and 64 bits
  std::string event = "{}";
  stamp_realtime_event(event, {WallTime(), origin + std::string(kNumberBytes, '9'), origin});
  return event.size() - 2;
}

SurfaceHealth health_of(const std::string& transport, const RealtimeBusStatus& status,
                        const RealtimeIntake::Counts& intake, const RealtimeFigures& figures) {
  SurfaceHealth health;
  if (!status.connected) {
    health.state = SurfaceHealth::State::degraded;
    health.reason =
        fmt::format("transport {}: {}; only events of this instance reach its subscribers",
                    transport, status.reason.empty() ? "connecting" : status.reason);
  }
  health.counts = {{"subscribers", figures.subscribers},
                   {"published", figures.published},
                   {"not_published", figures.not_published},
                   {"heard", intake.heard},
                   {"own", intake.own},
                   {"repeated", intake.repeated},
                   {"malformed", intake.malformed},
                   {"gaps", figures.gaps},
                   {"reconnects", status.reconnects},
                   {"resumed", figures.resumed},
                   {"resumed_by_reading", figures.resumed_by_reading},
                   {"not_resumed", figures.not_resumed}};
  return health;
}

}  // namespace

SurfaceParts realtime_parts(std::shared_ptr<RealtimeBus> bus, RealtimeSurfaceOptions options) {
  options.http.event_bytes_max = bus->event_bytes_max() - stamp_bytes(options.origin);
  auto intake = std::make_shared<RealtimeIntake>(options.origin, !bus->has_past());
  auto figures = std::make_shared<RealtimeFigures>();
  SurfaceParts parts;
  parts.surface = Surface::realtime;
  parts.endpoint = std::make_shared<RealtimeEndpoint>(std::move(options.http));
  parts.board = std::make_unique<RealtimeBoard>(bus, options.origin, intake, figures);
  parts.health = [bus, intake, figures, transport = options.transport] {
    return health_of(transport, bus->status(), intake->counts(), *figures);
  };
  return parts;
}

}  // namespace rt::server
