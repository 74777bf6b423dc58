// Notifications of PostgreSQL channels as a source: event "message", topic the channel, data the
// payload. There is no id: NOTIFY has no past to resume from.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipe/reconnector.h"
#include "rtctl/event_stream.h"

namespace rt::rtctl {

struct NotifyStreamOptions {
  std::string dsn;
  std::vector<std::string> channels;
  ReconnectOptions reconnect;
};

// Nothing is connected before run(). Fails with Code::usage.
Result<std::unique_ptr<EventStream>> open_notify_stream(const NotifyStreamOptions& options);

}  // namespace rt::rtctl
