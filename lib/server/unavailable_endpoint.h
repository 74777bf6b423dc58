// A surface whose needs are not met: every request for it gets 503 with the reason.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server/surface_parts.h"

namespace rt::server {

class UnavailableEndpoint final : public Endpoint {
 public:
  // paths: each stands for itself and everything below it.
  UnavailableEndpoint(std::vector<std::string> paths, std::string reason)
      : paths_(std::move(paths)), reason_(std::move(reason)) {}
  Outcome on_request(const http1::RequestHead& head) const override;

 private:
  std::vector<std::string> paths_;
  std::string reason_;
};

SurfaceParts unavailable_surface(Surface surface, std::vector<std::string> paths,
                                 std::string reason);

}  // namespace rt::server
