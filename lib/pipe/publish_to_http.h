// POSTs messages to a URL, over one kept connection.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "http/http_options.h"
#include "pipe/publish_sink.h"

namespace rt {

struct PublishHints {
  std::string unreachable;  // what to do when nobody answers
  std::string not_found;    // .. when the server has no such surface
};
// How requests were answered: by class, 2 for 200 to 299; 0: not at all.
using HttpStatusCounts = std::array<std::uint64_t, 6>;

// `counts` may be null; else it outlives the sink.
std::unique_ptr<PublishSink> publish_to_http(const std::string& url, const HttpOptions& options,
                                             const PublishHints& hints,
                                             HttpStatusCounts* counts = nullptr);

}  // namespace rt
