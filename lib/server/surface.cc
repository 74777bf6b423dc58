#include "server/surface.h"

namespace rt::server {

std::string_view surface_name(Surface surface) {
  switch (surface) {
    case Surface::runs:
      return "runs";
    case Surface::topics:
      return "topics";
    case Surface::events:
      return "events";
    case Surface::realtime:
      return "realtime";
    case Surface::jobs:
      return "jobs";
    case Surface::general:
      break;
  }
  return "general";
}

}  // namespace rt::server
