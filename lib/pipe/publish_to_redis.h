// Messages to Redis: published on a channel, or appended to a stream.
#pragma once

#include <memory>
#include <string>

#include "pipe/publish_sink.h"
#include "redis/connection.h"

namespace rt {

struct RedisTarget {
  RedisAddress address;
  int cancel_fd = -1;  // ends every wait when it becomes readable
  std::string client_name = "rtctl-publish";
};

// PUBLISH: the receipt says how many listened.
std::unique_ptr<PublishSink> publish_to_channel(RedisTarget target, std::string channel);

// XADD with one field: the receipt's id is the entry's. Old entries go beyond about `entries_max`.
std::unique_ptr<PublishSink> publish_to_stream(RedisTarget target, std::string stream,
                                               std::string field, std::size_t entries_max);

}  // namespace rt
