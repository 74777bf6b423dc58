// What the hub and a shard say to each other: two bounded rings, messages in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/position.h"
#include "io/spsc_ring.h"
#include "io/wakeup.h"
#include "server/endpoint.h"
#include "server/event_block.h"
#include "server/run_filter.h"
#include "server/surface.h"

namespace rt::server {

// A connection of a shard. The generation tells a slot's present tenant from its former ones.
struct ConnectionId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
};

struct ToHub {
  enum class Kind : std::uint8_t {
    none,
    subscribe,   // filter, resume: wants its state, then to be live
    fetch,       // the chunk was taken: wants the next
    leave,       // is gone while catching up
    forget_key,  // the shard has no subscriber of `key` any more
    publish,     // text: a row as JSON (only without a database)
    join,        // surface, opening: wants to be live on a surface that has a board
    part,        // surface, target, gzip: is gone from it
    missed,      // surface, target: was too slow for an event
    ask,         // surface, question: wants the board's answer
  };
  Kind kind = Kind::none;
  ConnectionId connection;
  std::uint64_t key = 0;
  std::shared_ptr<const RunFilter> filter;
  std::optional<Position> resume;  // the Last-Event-ID, if it is one of ours
  bool foreign_id = false;         // a Last-Event-ID was sent, but not one of ours
  bool new_only = false;           // without a Last-Event-ID: no rows as they are, only changes
  Surface surface = Surface::runs;
  bool gzip = false;
  Hash128 target;
  std::unique_ptr<Opening> opening;
  std::unique_ptr<Question> question;
  std::string text;
};

struct ToShard {
  enum class Kind : std::uint8_t {
    none,
    event,   // for every subscriber of its keys
    chunk,   // text for one connection; live: from here on it takes events; last: it ends
    reset,   // the past is gone: every subscriber must start anew
    answer,  // to one request
    finish,  // of a server that drains: nothing follows, say goodbye
  };
  Kind kind = Kind::none;
  bool live = false;
  bool last = false;
  ConnectionId connection;
  // With live: events up to here are already dealt with for this subscriber (it may be ahead of
  // us).
  Position seen;
  EventRef event;
  std::unique_ptr<Answer> answer;
  std::string text;
};

struct Link {
  explicit Link(io::Wakeup shard) : shard_wakeup(std::move(shard)) {}

  // A shard takes thousands of messages a turn; this holds the bursts of a busy transaction.
  static constexpr std::size_t kToShardCapacity = 4096;
  // One message per connection that arrives, asks or leaves in a turn (accepts are 64 a turn).
  static constexpr std::size_t kToHubCapacity = 1024;

  io::SpscRing<ToShard> to_shard{kToShardCapacity};
  io::SpscRing<ToHub> to_hub{kToHubCapacity};
  io::Wakeup shard_wakeup;
  // The shard's: from here on it takes no messages to be published, and all it took are in the
  // ring.
  std::atomic<bool> draining{false};
  // The shard's: it is gone, and takes nothing out of its ring any more.
  std::atomic<bool> gone{false};
};

}  // namespace rt::server
