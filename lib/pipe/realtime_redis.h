// Realtime events over Redis: on channels (Pub/Sub: fast, no past), or in the stream rt:stream (at
// least once, kept, each event with an id). redis.io, "Redis Pub/Sub" and "Redis Streams".
#pragma once

#include <memory>

#include "pipe/realtime_bus.h"
#include "redis/address.h"

namespace rt {

struct RealtimeRedisOptions {
  RedisAddress address;
  // Publish on rt:<type> instead of rt:all. Instances listen to both, so that a fleet may differ.
  bool partitioned = false;
};
Result<std::unique_ptr<RealtimeBus>> realtime_over_redis(const RealtimeRedisOptions& options,
                                                         LinkWatch watch);

Result<std::unique_ptr<RealtimeBus>> realtime_over_stream(const RedisAddress& address,
                                                          LinkWatch watch);

}  // namespace rt
