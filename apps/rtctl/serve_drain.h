// `rtctl serve`: its way out. docs/serving.md, "Draining".
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "rtctl/serve_tls.h"
#include "server/server.h"

namespace rt::rtctl {

struct DrainFlags {
  std::string limit = "5s";
};

void declare_drain(CLI::App* verb, DrainFlags& flags);
Result<Duration> drain_limit(const DrainFlags& flags);

// After Server::begin_drain(), which was called at `begun`: waits until it is over, and logs what
// came of it. A second signal ends it at once.
void await_drain(server::Server& server, Instant begun, Duration limit, ServeSignals& signals,
                 const Clock& clock);

}  // namespace rt::rtctl
