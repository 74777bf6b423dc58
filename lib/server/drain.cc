#include "server/drain.h"

#include <fmt/format.h>

namespace rt::server {

std::string DrainReport::text() const {
  std::string names;
  for (std::size_t surface = 0; surface < kSurfaceCount; ++surface) {
    if ((behind >> surface & 1U) == 0) continue;
    if (!names.empty()) names += ',';
    names += surface_name(static_cast<Surface>(surface));
  }
  return fmt::format("goodbyes={} cut_off={} unsent_events={} unanswered={} behind={}", goodbyes,
                     cut_off, unsent_events, unanswered, names.empty() ? "none" : names);
}

}  // namespace rt::server
