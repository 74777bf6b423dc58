// Redis as a source: messages published to channels, or entries of streams. Event "message", topic
// the channel or key, data the exact payload (pipe/redis_entry.h says what that is of an entry).
// A published message has no id. An entry's is its own; with several keys it is where reading
// stands in each of them, in their order: "5-1,7-0".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "rtctl/event_stream.h"
#include "rtctl/since.h"

namespace rt::rtctl {

struct RedisStreamOptions {
  std::string url = "redis://127.0.0.1:6379";
  std::vector<std::string> names;  // channels and patterns; with `entries`: keys of streams
  bool entries = false;
  // With `entries` anything, unset as end; else unset or end.
  Since since;
  std::optional<std::uint64_t> last{};         // entries, of all keys together
  std::optional<std::uint32_t> retries_max{};  // failures in a row; 0: a lost connection is the end
};

// Nothing is connected before run(). Fails with Code::usage.
Result<std::unique_ptr<EventStream>> open_redis_stream(const RedisStreamOptions& options);

}  // namespace rt::rtctl
