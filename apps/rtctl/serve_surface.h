// `rtctl serve`: what sets up one surface, and what is set up. Each surface has a file of its own,
// serve_<surface>, and a line in the table of serve.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/token_check.h"
#include "base/clock.h"
#include "base/result.h"
#include "pg/names.h"
#include "server/server.h"
#include "server/unavailable_endpoint.h"

namespace rt::rtctl {

// What the surfaces have in common.
struct ServeContext {
  std::string dsn{};        // empty: no database
  std::string redis_url{};  // empty: no Redis
  bool loopback = true;     // nobody outside this machine can connect
  // Checks signed tokens; absent: there is no key.
  std::optional<TokenCheck> tokens{};
  int cancel_fd = -1;  // readable once the service is to end: for what is asked at the start
  const Clock& clock;
};

// What runs beside the server for a surface: its source, and its way out. Outlives the server.
class Companion {
 public:
  virtual ~Companion() = default;
  virtual void start(server::Server& server) = 0;
  // After the server has drained, before it stops: calls off all that the surface waits for, then
  // and later.
  virtual void stop() = 0;
};

struct ServedSurface {
  server::SurfaceParts parts;
  std::unique_ptr<Companion> companion;  // or null
  std::vector<TableName> row_tables;     // whose rows its board hears
};

// Makes an unmet need an answer: 503 with the reason, on these paths.
inline ServedSurface unavailable(server::Surface surface, std::vector<std::string> paths,
                                 const Error& reason) {
  std::string text = reason.text;
  if (!reason.hint.empty()) text += ": " + reason.hint;
  return {server::unavailable_surface(surface, std::move(paths), std::move(text)), nullptr, {}};
}

}  // namespace rt::rtctl
