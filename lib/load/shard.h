// A shard: one thread that holds up to some 19,000 subscribers with a descriptor table, an event
// loop, a ledger, histograms and random numbers of its own. Nothing mutable is shared: orders come
// in and deliveries go out through bounded rings, and the rest is read after the thread has ended.
//
// What a connection costs: StreamConnection, a few words of the shard and its line in the ledger,
// see connection_bytes(). Buffers belong to the shard.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "io/poller.h"
#include "io/socket.h"
#include "io/spsc_ring.h"
#include "io/wakeup.h"
#include "load/ledger.h"
#include "load/outcome.h"
#include "load/schedule.h"
#include "load/shard_messages.h"
#include "load/stream_connection.h"
#include "load/stream_target.h"

namespace rt {

// What all shards of a run have in common. Immutable; outlives the shards.
struct ShardPlan {
  StreamTarget target;
  io::Address address;
  bool run_filter = false;   // see StreamTarget::append_path
  bool sends_state = false;  // the target begins each stream with `initial` events
  std::uint64_t seed = 1;
  std::uint32_t run = 0;  // Payload::run of what this run publishes
  unsigned shards = 1;
  std::size_t phases = 1;
  std::vector<Schedule> ramps;  // by phase
  ReconnectSpec reconnect;
  std::function<std::uint32_t(std::uint64_t)> topic_of;  // connection number to topic
  std::function<std::string(std::uint32_t)> topic_name;
  std::uint64_t connections = 0;
  // Of a run on several machines (workload_share.h): its connections by their number in the whole
  // run, and where each phase's ramp begins there. Empty: all of them.
  std::vector<std::uint32_t> members;
  std::vector<std::uint64_t> ramp_bases;

  std::uint64_t number_in_run(std::uint64_t connection) const {
    return members.empty() ? connection : members[connection];
  }
  // When a connection of that phase's ramp is due; `from` is the first one of the ramp.
  Duration ramp_due(std::size_t phase, std::uint64_t connection, std::uint64_t from) const {
    const std::uint64_t base = members.empty() ? from : ramp_bases[phase];
    return ramps[phase].due(number_in_run(connection) - base);
  }
};

// What a shard counted; read after its thread has ended.
struct ShardCounts {
  ConnectionCounts connections;  // asked = those of this shard
  IntegrityCounts integrity;     // lost is not yet known
  ResumeCounts resume;
  std::array<std::uint64_t, kPhasesMax> received{};
  std::array<std::uint64_t, kPhasesMax> untimed{};  // that neither ring nor spill could hold
  Histogram connect;
  Histogram first_event;
  Histogram loop_lag;  // of measured phases
  std::string fault;   // why the shard ended by itself, or empty
};

class Shard {
 public:
  // number: 0 .. plan.shards-1. Holds the connections k with k mod plan.shards == number.
  static Result<std::unique_ptr<Shard>> create(const ShardPlan& plan, unsigned number,
                                               const Clock& clock);
  ~Shard();

  // The thread's body: takes a descriptor table of its own, and works until ordered to stop.
  void run();

  // Control thread. False if the ring is full (a shard that answers nothing for 64 orders is
  // stuck).
  bool order(const ShardOrder& order);
  bool take(Delivery& out) { return deliveries_.pop(out); }
  bool take(ShardStatus& out) { return statuses_.pop(out); }

  // After the thread has ended.
  const ShardCounts& counts() const { return counts_; }
  const Ledger& ledger() const { return ledger_; }
  std::size_t slots() const { return slots_; }
  std::uint64_t number_of(std::size_t slot) const { return number_ + slot * plan_.shards; }

  // User-space memory of one idle connection, ledger included.
  static std::size_t connection_bytes();
  static std::size_t slots_of(std::uint64_t connections, unsigned shards, unsigned number) {
    return static_cast<std::size_t>((connections + shards - 1 - number) / shards);
  }

 private:
  struct Slot;
  struct Events;  // the handler of one read
  struct Retry {
    Instant at;
    std::uint32_t slot;
    bool operator>(const Retry& other) const { return at > other.at; }
  };

  Shard(const ShardPlan& plan, unsigned number, const Clock& clock, io::Wakeup wakeup);

  Result<void> begin();
  void turn();
  void follow_orders();
  Instant next_deadline(Instant now) const;
  void connect_due(Instant now);
  void retry_due(Instant now);
  void expire(Instant now);
  void canary(Instant now);

  void connect(std::size_t slot, Instant now);
  void send_request(std::size_t slot);
  void ready(std::size_t slot, const io::Ready& ready);
  void read(std::size_t slot);
  void take_progress(std::size_t slot, StreamConnection::Progress progress);
  void lost(std::size_t slot, ConnectFailure failure, std::string_view why);
  void schedule_retry(std::size_t slot, Instant now);
  void close(Slot& slot);
  void flush_spill();
  void deliver(const Delivery& delivery);
  void census();
  std::string offender(std::size_t slot, std::uint32_t sequence) const;

  const ShardPlan& plan_;
  const unsigned number_;
  const std::size_t slots_;
  const Clock& clock_;
  std::optional<io::Poller> poller_;  // lives in the shard's own descriptor table
  io::Wakeup wakeup_;
  io::SpscRing<ShardOrder> orders_;
  io::SpscRing<Delivery> deliveries_;
  io::SpscRing<ShardStatus> statuses_;
  std::optional<io::Address> source_;

  std::vector<Slot> connections_;
  Ledger ledger_;
  ShardCounts counts_;
  std::vector<Delivery> spill_;  // what the ring had no room for
  std::size_t spill_at_ = 0;     // how much of it has gone since

  ShardOrder ramp_;              // the one under way
  std::uint64_t ramp_next_ = 0;  // the next connection of ours in it
  std::priority_queue<Retry, std::vector<Retry>, std::greater<>> retries_;
  struct Pending {
    Instant since;
    std::uint64_t token;
  };
  std::deque<Pending> pending_;  // attempts by age; settled ones are skipped
  std::size_t pending_count_ = 0;
  std::uint64_t tried_ = 0;
  std::uint64_t held_ = 0;
  std::uint64_t gave_up_ = 0;
  std::uint64_t received_ = 0;
  Instant canary_at_{};
  bool publishing_ = false;
  bool measuring_ = false;
  bool stopped_ = false;
  bool counted_ = false;
  std::unique_ptr<char[]> buffer_;
  std::string request_;
};

}  // namespace rt
