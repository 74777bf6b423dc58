// A Redis connection that listens to a set of patterns which changes while it does. Requests are
// sent without waiting; what the server confirms comes through next(), in order with the messages.
// One thread. Source: redis.io, "Redis Pub/Sub", PSUBSCRIBE and PUNSUBSCRIBE.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "redis/connection.h"
#include "redis/subscriber.h"

namespace rt {

class RedisPatternSubscriber {
 public:
  explicit RedisPatternSubscriber(RedisConnection connection)
      : connection_(std::move(connection)) {}

  // Each asks the server; one confirmation a pattern follows. At least one pattern.
  Result<void> listen(const std::vector<std::string>& patterns);
  Result<void> ignore(const std::vector<std::string>& patterns);

  struct Heard {
    enum class Kind : std::uint8_t {
      message,
      listening,  // what is published to message.pattern from here on will come
      ignoring,   // it will not any more
    };
    Kind kind = Kind::message;
    RedisMessage message;
  };
  // What is there; nullopt: nothing more at present. Does not wait.
  Result<std::optional<Heard>> next();
  // For a poll of one's own: next() has something when it is readable.
  int socket() const { return connection_.socket(); }

 private:
  Result<void> ask(std::string_view verb, const std::vector<std::string>& patterns);

  RedisConnection connection_;
};

}  // namespace rt
