// rtreplay play --to sse: the embedded server, fed by a recording instead of a database.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "pipe/archive_source.h"
#include "rtreplay/play_transform.h"

namespace rt::rtreplay {

struct SseTarget {
  std::string listen = "127.0.0.1:8080";
  std::string table = "task_run";
  std::uint64_t await_subscribers = 0;  // play when there are so many
};

// Serves the recording's rows, with their ids, until it has been played, then says goodbye to the
// subscribers. `played` is told the source when it is through.
Result<void> play_to_sse(ArchiveSourceOptions source, const SseTarget& target,
                         PlayTransform& transform, std::stop_token stop,
                         const std::function<void(const ArchiveSource&)>& played);

}  // namespace rt::rtreplay
