// Publishes over one Redis connection, which it makes when it is needed and again when it was lost.
// One thread. Source: redis.io, PUBLISH.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "redis/address.h"
#include "redis/connection.h"

namespace rt {

class RedisPublisher {
 public:
  // clock outlives it.
  RedisPublisher(RedisAddress address, RedisOptions options, const Clock& clock)
      : address_(std::move(address)), options_(std::move(options)), clock_(clock) {}

  // How many connections of the server listen to the channel. A connection that was lost since the
  // last time is made again, and the message sent once more: it may arrive twice, never silently
  // not at all. Code::unreachable: try again later.
  Result<std::int64_t> publish(std::string_view channel, std::string_view payload);

 private:
  // After a failure, so many callers who wait in a row do not each wait for the timeout.
  static constexpr Duration kRest = std::chrono::milliseconds(500);

  Result<void> connect();
  Result<std::int64_t> try_once(std::string_view channel, std::string_view payload);

  RedisAddress address_;
  RedisOptions options_;
  const Clock& clock_;
  std::optional<RedisConnection> connection_;
  std::optional<Error> last_failure_;
  Instant failed_at_{};
};

}  // namespace rt
