// `rtctl serve`: the flags of the realtime surface, and the bus that carries its events between
// instances.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "base/result.h"
#include "pipe/realtime_bus.h"
#include "server/realtime_surface.h"

namespace rt::rtctl {

struct RealtimeFlags {
  std::string transport;
  std::string path = "/realtime";
  std::string keepalive = "25s";
  bool partitioned = false;
};

void declare_realtime(CLI::App* verb, RealtimeFlags& flags);

// Where the server is, and who asks it.
struct RealtimePlace {
  std::string dsn;        // empty: no database; REALTIME_PG_URL is asked first
  std::string redis_url;  // empty: no Redis
  bool on_loopback = false;
  // See RealtimeHttp; empty: there is no key.
  std::function<Result<std::string>(const http1::RequestHead& head)> identify;
};

// The bus with the thread that listens to it. Outlives the server.
class RealtimeSurface {
 public:
  // Code::usage: the flags cannot be, or the transport lacks its address.
  static Result<std::unique_ptr<RealtimeSurface>> make(const RealtimeFlags& flags,
                                                       RealtimePlace place);

  // For the server; once.
  server::SurfaceParts parts();

  // Hands the bus's records to the server, until stopped.
  using Feed = std::function<Result<void>(Source& source, const std::stop_token& stop)>;
  void start(Feed feed);
  void stop();

 private:
  RealtimeSurface(server::RealtimeSurfaceOptions options, std::shared_ptr<RealtimeBus> bus)
      : options_(std::move(options)), bus_(std::move(bus)) {}

  server::RealtimeSurfaceOptions options_;
  std::shared_ptr<RealtimeBus> bus_;
  std::jthread listening_;
};

}  // namespace rt::rtctl
