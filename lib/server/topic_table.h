// Who listens to which topic, what waits to be sent to them, and what went through it. A message
// becomes one event for all of a topic's subscribers. What comes faster than it can be sent waits
// in a ring of its topic, which loses its oldest when it is full: one busy topic harms no other,
// and its subscribers are told how much they missed. One thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "server/event_block.h"

namespace rt::server {

class TopicTable {
 public:
  struct Options {
    // Messages of one topic that may wait: ssepg's default.
    std::size_t ring_capacity = 1024;
    Duration idle_timeout = std::chrono::minutes(10);  // without subscribers and messages
  };
  explicit TopicTable(const Options& options) : options_(options) {}

  void join(const Hash128& target, const std::string& name, bool gzip, WallTime now);
  void part(const Hash128& target, bool gzip, WallTime now);
  void dropped(const Hash128& target);

  // Published here, before it is known whether it arrives anywhere.
  void published(const std::string& name, WallTime now);
  // A message that arrived: it waits for next(), unless nobody listens here.
  void receive(const std::string& name, std::string_view data, WallTime now);
  // The messages of some time are lost for all topics: their subscribers are told by next().
  void interrupted();
  // The event of the message that is next, each topic in its turn; nothing if none waits.
  EventRef next();
  bool is_waiting() const { return !turns_.empty(); }

  // Forgets topics that nobody needs any more; looks at all of them.
  void forget_idle(WallTime now);

  // Of where the messages travel: both are false for a server without a database.
  struct Links {
    bool listening = false;
    bool notifying = false;
    std::uint64_t reconnects = 0;
    std::size_t threads = 0;
  };
  // GET /healthz; at most `limit` topics, and totals of those.
  std::string health_json(const Links& links, std::size_t limit, WallTime now) const;

 private:
  struct Topic {
    std::string name;
    std::uint64_t subscribers = 0;
    std::uint64_t gzip_subscribers = 0;
    std::uint64_t published = 0;
    std::uint64_t broadcast = 0;
    std::uint64_t delivered = 0;
    std::uint64_t dropped = 0;  // subscribers
    std::uint64_t missed = 0;   // messages that left a full ring
    std::uint64_t untold = 0;   // of those, what the subscribers do not know of yet
    bool interrupted = false;   // and the subscribers do not know of it yet
    std::deque<std::string> ring;
    // Sent, and not yet taken by a subscriber's socket. Events hold it longer than the table may.
    std::shared_ptr<std::atomic<std::uint64_t>> pending =
        std::make_shared<std::atomic<std::uint64_t>>(0);
    WallTime last_activity{};
  };
  struct HashTarget {
    std::size_t operator()(const Hash128& target) const { return target.low; }
  };
  Topic& topic(const Hash128& target, const std::string& name);
  bool is_idle(const Topic& topic, WallTime now) const;

  Options options_;
  std::unordered_map<Hash128, Topic, HashTarget> topics_;
  std::deque<Hash128> turns_;  // topics with something in their ring, each once
  std::uint64_t waiting_ = 0;  // messages in all rings
  WallTime last_notification_{};
};

// What a subscriber of this topic is indexed by.
Hash128 topic_target(std::string_view name);

}  // namespace rt::server
