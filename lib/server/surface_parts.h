// A surface as the server takes it: its HTTP side, its side in the hub, and how it fares. The table
// of surfaces is what `rtctl serve` puts together; a new one is its two classes and one line there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/board.h"
#include "server/endpoint.h"
#include "server/surface.h"

namespace rt::server {

// For GET /health. A surface that is `unavailable` answers 503 with the reason.
struct SurfaceHealth {
  enum class State : std::uint8_t { ok, degraded, unavailable };
  State state = State::ok;
  std::string reason{};  // empty if ok
  // False: it is there because it could be; that it is unavailable says nothing about the server.
  bool asked_for = true;
  std::vector<std::pair<std::string, std::uint64_t>> counts{};
};

struct SurfaceParts {
  Surface surface = Surface::topics;
  std::shared_ptr<const Endpoint> endpoint;
  std::unique_ptr<Board> board;           // or null: no streams, no questions
  std::function<SurfaceHealth()> health;  // thread-safe; empty: not shown
};

}  // namespace rt::server
