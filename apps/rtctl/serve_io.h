// `rtctl serve`: its threads, its sockets, and a port of its own for health.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

#include "base/result.h"
#include "server/server.h"

namespace rt::rtctl {

struct IoFlags {
  std::string health_listen;  // empty: health is where everything is
  std::string sse_buffer = "16KiB";
  std::size_t fanout_shards = 0;
  std::string connections_max = "400k";
  std::string streams_max = "0";
  std::size_t http2_streams = 256;
};

void declare_io(CLI::App* verb, IoFlags& flags);
// topics_health_path: goes where health goes.
Result<void> set_io(server::ServerOptions& options, const IoFlags& flags,
                    const std::string& topics_health_path);

}  // namespace rt::rtctl
