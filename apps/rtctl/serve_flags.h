// `rtctl serve`: its flags, the table of surfaces, and what both come to.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/socket.h"
#include "rtctl/serve_drain.h"
#include "rtctl/serve_events.h"
#include "rtctl/serve_http_flags.h"
#include "rtctl/serve_io.h"
#include "rtctl/serve_jobs.h"
#include "rtctl/serve_page.h"
#include "rtctl/serve_realtime.h"
#include "rtctl/serve_rows.h"
#include "rtctl/serve_surface.h"
#include "rtctl/serve_tls.h"
#include "rtctl/serve_tokens.h"
#include "rtctl/serve_topics.h"

namespace rt::rtctl {

struct ServeFlags {
  std::string listen;
  std::string dsn;
  std::string redis;
  std::string history;
  std::string history_max;  // empty: no limit
  std::string history_age;
  std::string keepalive = "15s";
  std::string tags_match = "any";
  std::string compat;
  std::string log_format = "text";
  std::string surfaces;  // empty: those whose back end is configured
  bool keepalive_event = false;
  bool no_metrics = false;
  bool quiet = false;
  bool check = false;
  HttpServeFlags http;
  DrainFlags drain;
  IoFlags io;
  PageFlags page;
  RowsFlags rows;
  TopicsFlags topics;
  TlsFlags tls;
  EventsFlags events;
  TokenFlags tokens;
  RealtimeFlags realtime;
  JobsSurfaceFlags jobs;
};

void declare_serve(CLI::App* verb, ServeFlags& flags);

// One surface of the table: how it is set up, and whether it has what it needs to be served without
// being asked for.
struct SurfaceRow {
  std::string_view name;
  bool (*is_configured)(const ServeContext&);
  Result<ServedSurface> (*set_up)(const ServeFlags&, const ServeContext&);
  // The same as far as it needs no database; null: set_up asks none.
  Result<ServedSurface> (*inspect)(const ServeFlags&, const ServeContext&) = nullptr;
};

// The runs surface is the server's own and comes first; these are asked for a path in this order.
std::span<const SurfaceRow> surface_rows();
// The names of --surfaces, or nothing.
Result<std::vector<std::string_view>> chosen_surfaces(const ServeFlags& flags);

// --listen, else PORT on the loopback address, else 127.0.0.1:8080.
Result<io::Address> listen_address(const ServeFlags& flags);
// The database and the Redis of the flags, or of the environment.
void read_places(ServeContext& context, const ServeFlags& flags);
Result<server::ServerOptions> server_options(const ServeFlags& flags);

}  // namespace rt::rtctl
