#include "server/unavailable_endpoint.h"

namespace rt::server {

Outcome UnavailableEndpoint::on_request(const http1::RequestHead& head) const {
  for (const std::string& path : paths_) {
    if (head.path.compare(0, path.size(), path) != 0) continue;
    if (head.path.size() > path.size() && head.path[path.size()] != '/') continue;
    return Answer{.status = 503, .body = reason_ + "\n"};
  }
  return NotMine{};
}

SurfaceParts unavailable_surface(Surface surface, std::vector<std::string> paths,
                                 std::string reason) {
  SurfaceParts parts;
  parts.surface = surface;
  parts.endpoint = std::make_shared<UnavailableEndpoint>(std::move(paths), reason);
  parts.health = [reason = std::move(reason)] {
    return SurfaceHealth{.state = SurfaceHealth::State::unavailable, .reason = reason};
  };
  return parts;
}

}  // namespace rt::server
