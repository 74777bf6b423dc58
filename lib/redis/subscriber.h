// A Redis connection that only listens: messages of channels and of patterns (Pub/Sub), in the
// order in which the server sends them. One thread. Source: redis.io, "Redis Pub/Sub".
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "redis/connection.h"

namespace rt {

struct RedisMessage {
  std::string pattern;  // that matched; empty: subscribed by channel
  std::string channel;
  std::string payload;
};

// In ["message", channel, payload] or ["pmessage", pattern, channel, payload]; nothing in another
// reply. Moves the texts out of it.
std::optional<RedisMessage> redis_message_in(RedisReply& reply);

class RedisSubscriber {
 public:
  // Both return once the server has confirmed: what is published later will arrive.
  static Result<RedisSubscriber> subscribe(RedisConnection connection,
                                           const std::vector<std::string>& channels);
  // Patterns are Redis globs: * crosses ':' and '/'. One PUBLISH comes once for each pattern that
  // matches.
  static Result<RedisSubscriber> psubscribe(RedisConnection connection,
                                            const std::vector<std::string>& patterns);

  // nullopt when the deadline passes first; Instant::max() waits until cancel_fd says otherwise.
  Result<std::optional<RedisMessage>> next(Instant deadline);
  // Asks the server whether it is still there; its answer is taken by next(). For links that lose
  // packets without a word: call it after a silence, and expect something soon.
  Result<void> ping();

  const RedisConnection& connection() const { return connection_; }

 private:
  explicit RedisSubscriber(RedisConnection connection) : connection_(std::move(connection)) {}
  static Result<RedisSubscriber> start(RedisConnection connection, std::string_view verb,
                                       const std::vector<std::string>& names);

  RedisConnection connection_;
  std::deque<RedisMessage> early_;  // came between two confirmations
};

}  // namespace rt
