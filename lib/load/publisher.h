// Publishes on an absolute schedule, and keeps account of it. Open loop: an event is due at an
// instant that was fixed before the run; being late is measured, not forgiven.
//
// run() is the body of a thread of its own. Orders and statuses go through bounded rings;
// everything else is read after that thread has ended.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/spsc_ring.h"
#include "load/outcome.h"
#include "load/publication.h"
#include "load/publish_work.h"
#include "load/workload_share.h"
#include "pipe/event_producer.h"

namespace rt {

struct PublisherPlan {
  std::vector<PublishWork> works;       // entries of the scenario
  std::vector<std::uint32_t> watchers;  // by topic: connections that follow it
  std::size_t phases = 1;
  std::uint32_t run = 0;
  bool names_topics = false;             // in each payload
  bool checks_content = false;           // each payload carries what it can be checked by
  std::uint32_t max_in_flight = 10'000;  // of all entries together; each has a bound of its own
  ShardOf share;                         // events of other shards' topics are passed over
  std::function<std::string(std::uint32_t)> topic_name;  // for payloads that have it in them
};

struct PublisherStatus {
  std::uint64_t offered = 0;
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t failed = 0;
  std::uint64_t skipped = 0;
  std::uint64_t due = 0;  // deliveries that may come of what was answered, or lost its answer
  std::int64_t late_max_us = 0;  // since the status before
  std::int64_t cpu_ns = 0;
  Instant at{};
  bool idle = false;    // nothing more to send, and no answer missing
  bool faulty = false;  // the peer is lost: run() has ended
};

class Publisher {
 public:
  Publisher(PublisherPlan plan, EventProducer& producer, const Clock& clock);

  void run();

  // Control thread. The schedule's zero, with the phase that begins there; known beforehand.
  void begin(Instant zero, std::size_t phase) { order({Order::Kind::begin, zero, phase}); }
  // From `at` on, events belong to `phase`. In order of time.
  void phase_begins(Instant at, std::size_t phase) { order({Order::Kind::phase, at, phase}); }
  // Nothing that is due at `at` or later is sent.
  void end(Instant at) { order({Order::Kind::end, at, 0}); }
  // Stop waiting for answers; run() returns.
  void finish() { order({Order::Kind::finish, Instant{}, 0}); }
  bool take(PublisherStatus& out) { return statuses_.pop(out); }

  // After run() has returned.
  Publication& publication() { return publication_; }
  // Publishing's part of each phase: counts, late and publish.
  const std::vector<PhaseOutcome>& phases() const { return phases_; }
  const std::optional<Error>& fault() const { return fault_; }
  std::string first_failure() const { return producer_.first_failure(); }

 private:
  struct Order {
    enum class Kind : std::uint8_t { begin, phase, end, finish };
    Kind kind = Kind::finish;
    Instant at{};
    std::size_t phase = 0;
  };
  struct Flight {
    Instant intended{};
    std::uint32_t topic = 0;
    std::uint32_t sequence = 0;
    std::uint32_t phase = 0;
    std::uint32_t stream = 0;
    bool open = false;
  };

  void order(const Order& order);
  void follow_orders();
  void turn();
  // One entry, and where it stands.
  struct Stream {
    PublishWork work;
    std::uint64_t next = 0;  // event number
    Duration due{};          // of that event
    std::uint32_t in_flight = 0;
    bool is_blocked() const { return in_flight >= work.max_in_flight(); }
  };
  Stream* first_due(bool blocked_too);
  Instant next_due();
  Instant instant_of(const Stream* stream) const;
  void send_due(Instant now);
  void send(Stream& stream, Instant intended, Instant now);
  void skip_rest(Instant now);
  void close(Flight& flight);
  void fail(const Flight& flight);
  void answered(const EventProducer::Answer& answer);
  void report(Instant now);
  std::size_t phase_at(Instant intended);

  PublisherPlan plan_;
  EventProducer& producer_;
  const Clock& clock_;
  Publication publication_;
  io::SpscRing<Order> orders_;
  io::SpscRing<PublisherStatus> statuses_;
  std::vector<PhaseOutcome> phases_;
  std::vector<Flight> flights_;  // ring by ticket, max_in_flight wide or a little more
  std::vector<EventProducer::Answer> answers_;
  std::string payload_;
  std::string value_;
  std::optional<Error> fault_;

  std::optional<Instant> zero_;
  std::optional<Instant> end_;
  std::vector<Order> boundaries_;  // phases to come, by time
  std::size_t phase_ = 0;
  std::vector<Stream> streams_;
  std::uint64_t ticket_ = 0;  // of the next send
  std::uint32_t in_flight_ = 0;
  PublisherStatus status_;
  Instant report_at_{};
  bool finished_ = false;
};

}  // namespace rt
