// A family of endpoints with rules of its own. A connection subscribes on one of them, an event
// belongs to one.
#pragma once

#include <cstdint>
#include <string_view>

namespace rt::server {

enum class Surface : std::uint8_t {
  runs,      // rows of the run table: state, changes, resume
  topics,    // messages by topic name: only what comes while one listens
  events,    // messages by scope, over Redis
  realtime,  // messages by type and user, over a transport
  jobs,      // the status of one job until it ends
  general,   // health, metrics, the page: no streams
};
inline constexpr std::size_t kSurfaceCount = 6;

std::string_view surface_name(Surface surface);

}  // namespace rt::server
