// Messages to Redis: published on a channel, or appended to a stream.
#pragma once

#include <memory>
#include <string>

#include "redis/connection.h"
#include "rtctl/publish_sink.h"

namespace rt::rtctl {

struct RedisTarget {
  RedisAddress address;
  int cancel_fd = -1;  // ends every wait when it becomes readable
};

// PUBLISH: the receipt says how many listened.
std::unique_ptr<PublishSink> publish_to_channel(RedisTarget target, std::string channel);

// XADD with one field: the receipt's id is the entry's. Old entries go beyond about `entries_max`.
std::unique_ptr<PublishSink> publish_to_stream(RedisTarget target, std::string stream,
                                               std::string field, std::size_t entries_max);

}  // namespace rt::rtctl
