// The hub's side of a surface: who listens, and what is said to them. Lives on the hub thread, on
// which all of it is called and nothing may wait: what takes time goes through Errands.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/record.h"
#include "base/result.h"
#include "io/wakeup.h"
#include "server/endpoint.h"
#include "server/event_block.h"
#include "server/link.h"

namespace rt::server {

// Who asks: a connection of a shard.
struct Asker {
  std::size_t shard = 0;
  ConnectionId connection;
};

// What a board may ask of its hub. Outlives the board.
class BoardPort {
 public:
  virtual ~BoardPort() = default;
  // To every subscriber of the event's keys and target.
  virtual void send(const EventRef& event) = 0;
  // Whether the shards keep up; send() waits for them when they do not.
  virtual bool has_room() = 0;
  // The answer to a Question, once.
  virtual void answer(const Asker& asker, Answer answer) = 0;
  // One subscriber: it is sent this text (not compressed) and is live from here on, or its stream
  // ends after it. May be called again while it lasts, to say something to it alone.
  virtual void tell(const Asker& subscriber, std::string text, bool last = false) = 0;
  // Rung to make the hub call turn().
  virtual io::Wakeup& wakeup() = 0;
  virtual WallTime now() = 0;
};

class Board {
 public:
  virtual ~Board() = default;
  // Once, before anything else.
  virtual Result<void> open(BoardPort& port) = 0;

  // A subscriber: call tell() for it now, or later. Events of its keys reach it from that call on;
  // what was sent before it, does not.
  virtual void join(const Asker& subscriber, const Opening& opening) = 0;
  // It is gone. `target` and `gzip` are its opening's.
  virtual void part(const Asker& subscriber, const Hash128& target, bool gzip) = 0;
  // It was closed because it was too slow, or missed an event; part() follows a close.
  virtual void missed(const Hash128& target) { (void)target; }
  virtual void ask(const Asker& asker, Question question) = 0;

  // Records of this surface's own source; with hears_rows(), those of the WAL too.
  virtual void hear(const RecordView& record) = 0;
  virtual bool hears_rows() const { return false; }

  // False: it still holds what it heard, because the shards are behind; its source is to wait.
  virtual bool wants_more() const { return true; }

  // After every round of the hub: what was waited for may be there. True if there is more to do.
  virtual bool turn() { return false; }
  // After every round, once no question comes any more, because the server ends: true when nothing
  // that was asked for is on its way to an answer or a subscriber.
  virtual bool drain() { return true; }
  virtual void tidy() {}  // once a minute
};

}  // namespace rt::server
