// Who listens to which scope, and what is said to them. A scope with its id is a hub, with one
// pattern of the broker while it has subscribers and for a while after. Hub thread; counts() is
// for any.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/board.h"
#include "server/errands.h"
#include "server/surface_parts.h"

namespace rt::server {

// What carries events between instances: Redis.
class EventsBroker {
 public:
  virtual ~EventsBroker() = default;
  // Neither waits. What the broker hears comes to EventsBoard::hear() as records, as
  // RedisPatternsSource makes them: a mark for each pattern from when on it is listened to.
  virtual void listen(const std::string& pattern) = 0;
  virtual void ignore(const std::string& pattern) = 0;
  enum class Link : std::uint8_t { connecting, up, down };
  virtual Link link() const = 0;
  virtual std::uint64_t gaps() const = 0;  // lost connections; any thread
  // On a thread where it may wait. How many listened.
  virtual Result<std::int64_t> publish(std::string_view channel, std::string_view payload) = 0;
};

// Any thread may read them.
struct EventsCounts {
  using Count = std::atomic<std::uint64_t>;
  Count subscribers{0};
  Count hubs{0};       // scopes that are listened to
  Count received{0};   // messages of the broker
  Count delivered{0};  // times a subscriber was owed one
  // Times a subscriber was too slow: it was closed, or began to miss events. How many of them it
  // missed the shards count (Counters::events_dropped): a message each would be a flood.
  Count missed{0};
  Count published{0};  // over HTTP
  Count publish_failures{0};
  Count unusable{0};  // messages that nobody could get: too large, damaged
};

class EventsBoard final : public Board {
 public:
  struct Options {
    std::string prefix;  // of event names, see event_prefix()
    Duration hub_idle_timeout = std::chrono::minutes(5);
  };

  // Redis looks at every pattern for each PUBLISH (0.6 ms at this many) and, of one connection, for
  // each PSUBSCRIBE too: more would take it more than seconds after a restart.
  static constexpr std::size_t kHubsMax = 16'384;
  // The largest that this toolkit reads back from a stream.
  static constexpr std::size_t kEventBytesMax = std::size_t{16} << 20;

  // broker outlives the board.
  EventsBoard(Options options, EventsBroker& broker)
      : options_(std::move(options)), broker_(broker) {}

  // May be called, and its result used, after the board is gone, while the broker is there.
  std::function<SurfaceHealth()> health() const;
  const EventsCounts& counts() const { return *counts_; }

  Result<void> open(BoardPort& port) override;
  void join(const Asker& subscriber, const Opening& opening) override;
  void part(const Asker& subscriber, const Hash128& target, bool gzip) override;
  void missed(const Hash128& target) override;
  void ask(const Asker& asker, Question question) override;
  void hear(const RecordView& record) override;
  bool wants_more() const override { return waiting_.empty(); }
  bool turn() override;
  bool drain() override;
  void tidy() override;

 private:
  struct Hub {
    std::string scope;  // "gym:1"
    std::uint64_t subscribers = 0;
    bool listening = false;      // the broker has said so once
    WallTime empty_since{};      // without subscribers
    std::vector<Asker> waiting;  // to be told that they listen
    WallTime waiting_since{};
  };

  struct HashTarget {
    std::size_t operator()(const Hash128& target) const { return target.low; }
  };

  void on_message(std::string_view channel, std::string_view payload);
  void on_listening(std::string_view pattern);
  void on_gap();
  void release(Hub& hub, std::string_view text);
  void release_overdue(WallTime now);
  void send(const Hash128& target, std::string_view frame);
  void send_waiting();
  void forget_idle(WallTime now);

  const Options options_;
  EventsBroker& broker_;
  BoardPort* port_ = nullptr;
  std::unique_ptr<Errands> errands_;
  std::unordered_map<Hash128, Hub, HashTarget> hubs_;
  std::size_t hubs_waiting_ = 0;  // that have somebody waiting
  WallTime looked_{};             // for idle hubs
  std::string frame_;             // of the event at hand
  // Events that the shards have no room for: of one batch at most, because no other is taken.
  std::deque<EventRef> waiting_;
  // Whether what was published here has come back, while the server drains.
  enum class Echo : std::uint8_t { none, awaited, over };
  Echo echo_ = Echo::none;
  const std::shared_ptr<EventsCounts> counts_ = std::make_shared<EventsCounts>();
};

}  // namespace rt::server
