// `rtctl serve`: the topics surface, and what carries its messages between instances.
#pragma once

#include "base/result.h"
#include "rtctl/serve_surface.h"
#include "rtctl/serve_topics_flags.h"

namespace rt::rtctl {

// Without a database messages stay in the server.
Result<ServedSurface> serve_topics(const TopicsFlags& flags, const ServeContext& context);

}  // namespace rt::rtctl
