// `rtctl serve`: the flags of the realtime surface, and the bus that carries its events between
// instances.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "rtctl/serve_surface.h"

namespace rt::rtctl {

struct RealtimeFlags {
  std::string transport;
  std::string path = "/realtime";
  std::string keepalive = "25s";
  bool partitioned = false;
};

void declare_realtime(CLI::App* verb, RealtimeFlags& flags);

// Transport and address come from REALTIME_TRANSPORT and the context, unless the flags say
// otherwise; what the transport lacks is answered with 503. publish_token: who posts must bear it;
// empty: who may listen may post.
Result<ServedSurface> serve_realtime(const RealtimeFlags& flags, std::string publish_token,
                                     const ServeContext& context);

}  // namespace rt::rtctl
