// Entries of Redis streams as records: RecordKind::redis (archive::RedisBody with an id), by plain
// XREAD. A lost connection costs nothing: reading goes on after the last entry; a gap record tells
// of entries that were trimmed or deleted before they were read.
// Source: redis.io, "Redis Streams" and XREAD.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pipe/outlet.h"
#include "pipe/reconnector.h"
#include "pipe/redis_stream_cursor.h"
#include "pipe/source.h"
#include "redis/address.h"
#include "redis/connection.h"

namespace rt {

struct RedisStreamBegin {
  enum class At : std::uint8_t { begin, end, after, time, last };
  At at = At::end;
  std::vector<RedisEntryId> after;  // one for each key, or one for all
  WallTime time{};                  // entries added then or later, by the server's clock
  std::uint64_t last = 0;           // the newest entries, of all keys together
};

struct RedisStreamSourceOptions {
  RedisAddress address;
  std::vector<std::string> keys;  // need not exist yet
  RedisStreamBegin begin;
  ReconnectOptions reconnect;
  std::string client_name = "realtime";
};

class RedisStreamSource final : public Source {
 public:
  explicit RedisStreamSource(RedisStreamSourceOptions options, LinkWatch watch = {});

  // Reads until stopped, reconnecting for ever unless the options say otherwise. Caught up means
  // that everything there was read once. Once per object.
  Result<void> run(std::stop_token stop, const Take& take) override;

  // Where reading stands, one for each key, in their order. On the thread of run(): from
  // LinkWatch::on_open on.
  const std::vector<RedisStreamCursor>& cursors() const { return cursors_; }
  // Any thread.
  std::uint64_t events() const { return events_.load(std::memory_order_relaxed); }
  std::uint64_t gaps() const { return gaps_.load(std::memory_order_relaxed); }

 private:
  enum class Read : std::uint8_t { none, some, full };  // full: there is more

  Result<void> session(Reconnector& link, Outlet& outlet, int cancel_fd);
  Result<void> resolve_begin(RedisConnection& connection);
  Result<void> resolve_last(RedisConnection& connection);
  // What is there now, checked for what is not there any more, at one moment of the server.
  Result<Read> read_available(RedisConnection& connection, Outlet& outlet);
  // Waits for what comes next.
  Result<Read> read_next(RedisConnection& connection, Outlet& outlet);
  Read put_entries(const RedisReply& reply, Outlet& outlet);
  std::vector<std::string> xread(const std::vector<std::string>& options) const;

  RedisStreamSourceOptions options_;
  LinkWatch watch_;
  std::vector<RedisStreamCursor> cursors_;  // empty until the first connection
  std::string body_;
  std::string fields_;
  std::atomic<std::uint64_t> events_{0};
  std::atomic<std::uint64_t> gaps_{0};
};

}  // namespace rt
