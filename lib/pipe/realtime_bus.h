// What carries realtime events between the instances of a server: a source of what all of them
// publish, its own events among them, and a way to publish. It reconnects by itself, for ever.
// docs/realtime.md; decision D-7 there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pipe/link_watch.h"
#include "pipe/redis_entry.h"
#include "pipe/source.h"

namespace rt {

struct RealtimeBusStatus {
  bool connected = false;
  std::string reason;  // why not; empty: the first attempt has not ended yet
  std::uint64_t reconnects = 0;
  // Of a bus with a past, once it was connected: all that follows this entry is yielded.
  std::optional<RedisEntryId> begun;
};

// run() on a thread of its own, the rest as it says. Its records are of RecordKind::notify, redis
// and gap; RealtimeIntake reads them.
class RealtimeBus : public Source {
 public:
  // Hands an event (JSON, at most event_bytes_max) to every instance that listens. Waits, a few
  // seconds at most. Code::unreachable: it may try again later. One thread.
  virtual Result<void> publish(std::string_view type, std::string_view event) = 0;
  virtual std::size_t event_bytes_max() const = 0;

  // Whether each event is an entry with an id, in one order for all instances, and is kept.
  virtual bool has_past() const { return false; }
  // Yields the records of the entries after `after` up to `until`, gap records where entries are
  // missing, until `take` says false. Waits. One thread, another than publish()'s if you like.
  using TakePast = std::function<bool(const RecordView& record)>;
  virtual Result<void> read_past(RedisEntryId after, RedisEntryId until, const TakePast& take);

  // Any thread. on_change is called, on any thread, when the status has changed; {} to end it.
  virtual RealtimeBusStatus status() const = 0;
  virtual void on_change(std::function<void()> call) = 0;
  // Any thread: what waits in publish() and read_past() is called off, now and later.
  virtual void close() = 0;
};

// Memory, as instances in one process share it.
class RealtimeExchange;
std::shared_ptr<RealtimeExchange> make_realtime_exchange();
std::unique_ptr<RealtimeBus> realtime_over_memory(std::shared_ptr<RealtimeExchange> exchange);

struct RealtimeBusOptions {
  // "memory", "redis", "redis-stream", "postgres" ("pg" and "neon" mean it too), in any case.
  std::string transport = "memory";
  std::string redis_url;
  std::string dsn;
  std::string channel;       // of PostgreSQL; empty: realtime_events
  bool partitioned = false;  // redis: publish on rt:<type> instead of rt:all
};
// Connects later, in run(). watch: told besides the status. Code::usage: no such transport, or a
// malformed address; Code::refused: it lacks its address.
Result<std::unique_ptr<RealtimeBus>> open_realtime_bus(const RealtimeBusOptions& options,
                                                       LinkWatch watch = {});

}  // namespace rt
