// What a line of the table of sources is opened from: the flags, the words after its name, and
// where to begin. Each function prepares one kind of source; nothing is connected before run().
// They fail with Code::usage.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "rtctl/event_stream.h"
#include "rtctl/since.h"
#include "rtctl/source_flags.h"

namespace rt::rtctl {

struct SourceRequest {
  const SourceFlags& flags;
  std::string word;                        // the source's name, or a URL
  std::span<const std::string> arguments;  // the words after it
  Since since;                             // of kind id: where to resume
};

using OpenedStream = Result<std::unique_ptr<EventStream>>;

// Over HTTP (server_sources.cc).
OpenedStream open_url(const SourceRequest& request);
OpenedStream open_runs(const SourceRequest& request);
OpenedStream open_topic(const SourceRequest& request);
OpenedStream open_events(const SourceRequest& request);
OpenedStream open_realtime(const SourceRequest& request);
OpenedStream open_job(const SourceRequest& request);

// Without a server of ours (local_sources.cc).
OpenedStream open_wal(const SourceRequest& request);
OpenedStream open_notify(const SourceRequest& request);
OpenedStream open_redis(const SourceRequest& request);

}  // namespace rt::rtctl
