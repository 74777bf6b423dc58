// `rtctl serve`: the flags of the events surface, and the Redis that carries its events between
// instances.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "rtctl/serve_surface.h"

namespace rt::rtctl {

struct EventsFlags {
  std::string prefix;
  std::string when_slow = "drop";
  std::string hub_idle_timeout = "5m";
  std::string heartbeat = "30s";
};

void declare_events(CLI::App* verb, EventsFlags& flags);

// Without a Redis the surface answers 503.
Result<ServedSurface> serve_events(const EventsFlags& flags, const ServeContext& context);

}  // namespace rt::rtctl
