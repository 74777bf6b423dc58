// A family of endpoints with rules of its own. A connection subscribes on one of them, an event
// belongs to one.
#pragma once

#include <cstdint>

namespace rt::server {

enum class Surface : std::uint8_t {
  runs,    // rows of the run table: state, changes, resume
  topics,  // messages by topic name: only what comes while one listens
};

}  // namespace rt::server
