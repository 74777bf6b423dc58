// `rtctl serve`: the flags of the realtime surface, and the bus that carries its events between
// instances.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "base/result.h"
#include "proto/http1_request.h"
#include "rtctl/serve_surface.h"

namespace rt::rtctl {

struct RealtimeFlags {
  std::string transport;
  std::string path = "/realtime";
  std::string keepalive = "25s";
  bool partitioned = false;
};

void declare_realtime(CLI::App* verb, RealtimeFlags& flags);

// The user that a request's token names, or why there is none. Thread-safe; empty: there is no key.
using IdentifyUser = std::function<Result<std::string>(const http1::RequestHead& head)>;

// Transport and address come from REALTIME_TRANSPORT and the context, unless the flags say
// otherwise; what the transport lacks is answered with 503.
Result<ServedSurface> serve_realtime(const RealtimeFlags& flags, const ServeContext& context,
                                     IdentifyUser identify = {});

}  // namespace rt::rtctl
