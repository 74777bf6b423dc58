// Messages published to Redis channels as records: RecordKind::redis (archive::RedisBody without an
// id), in the order of the server. Pub/Sub has no past: a gap record follows each lost connection.
// Source: redis.io, "Redis Pub/Sub".
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "pipe/outlet.h"
#include "pipe/reconnector.h"
#include "pipe/source.h"
#include "redis/address.h"
#include "redis/subscriber.h"

namespace rt {

// Whether Redis reads it as a pattern: *, ?, [ or a backslash in it.
bool is_redis_pattern(std::string_view name);

// Redis sends a message once for each pattern that matches its channel, one after the other. A
// value; one thread.
class RedisOverlap {
 public:
  // Whether this message is the one before it, by another pattern.
  bool is_repeated(const RedisMessage& message);

 private:
  RedisMessage last_;
  std::vector<std::string> patterns_;  // by which it came
};

struct RedisSourceOptions {
  RedisAddress address;
  std::vector<std::string> channels;  // names or patterns, at least one
  ReconnectOptions reconnect;
  std::string client_name = "realtime";
};

class RedisSource final : public Source {
 public:
  explicit RedisSource(RedisSourceOptions options, LinkWatch watch = {});

  // Listens until stopped, reconnecting for ever unless the options say otherwise. It reads when
  // `take` has returned: a `take` that blocks for long makes Redis drop the connection (its
  // client-output-buffer-limit), which is a gap then. Once per object.
  Result<void> run(std::stop_token stop, const Take& take) override;

  // Any thread.
  std::uint64_t events() const { return events_.load(std::memory_order_relaxed); }
  std::uint64_t gaps() const { return gaps_.load(std::memory_order_relaxed); }

 private:
  Result<void> session(Reconnector& link, Outlet& outlet, int cancel_fd);

  RedisSourceOptions options_;
  LinkWatch watch_;
  std::atomic<std::uint64_t> events_{0};
  std::atomic<std::uint64_t> gaps_{0};
};

}  // namespace rt
