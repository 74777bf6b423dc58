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
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "io/poller.h"
#include "io/socket.h"
#include "io/spsc_ring.h"
#include "io/tls.h"
#include "io/wakeup.h"
#include "load/ledger.h"
#include "load/outcome.h"
#include "load/payload.h"
#include "load/recent_positions.h"
#include "load/request_headers.h"
#include "load/schedule.h"
#include "load/shard_messages.h"
#include "load/stream_connection.h"
#include "load/stream_target.h"

namespace rt {

namespace http2 {
class ClientSession;
}

// What all shards of a run have in common. Immutable; outlives the shards.
struct ShardPlan {
  StreamTarget target;
  io::Address address;
  std::vector<io::Address> sources;           // taken in turn; empty: the kernel chooses
  io::PortRange ports;                        // of each source
  bool http2 = false;                         // without TLS: by prior knowledge
  std::uint32_t streams = 1;                  // subscribers on one connection of HTTP/2
  std::shared_ptr<const io::TlsContext> tls;  // null: plain
  bool gzip = false;
  RequestHeaders headers;
  bool run_filter = false;   // see StreamTarget::append_path
  bool sends_state = false;  // the target begins each stream with `initial` events
  bool checks_content = false;
  std::uint64_t seed = 1;
  std::uint32_t run = 0;  // Payload::run of what this run publishes
  unsigned shards = 1;
  std::size_t phases = 1;
  std::vector<Schedule> ramps;  // by phase
  ReconnectSpec reconnect;
  ChurnSpec churn;
  std::vector<CohortSpec> cohorts;
  // The state of a topic is not an event of a name of its own, but the first of each stream.
  bool first_is_state = false;
  // Subscription (Subscriptions) to topic, or Subscriptions::kNone.
  std::function<std::uint32_t(std::uint64_t)> topic_of;
  std::uint32_t topics_each = 1;      // the most that one connection follows
  std::string topic_separator = ",";  // between several in a path
  std::function<std::string(std::uint32_t)> topic_name;
  std::uint64_t connections = 0;

  // 0: healthy; else the cohort's number from 1. A function of (seed, connection).
  std::uint8_t cohort_of(std::uint64_t connection) const;
  std::size_t bucket_of(std::uint8_t cohort, std::size_t phase) const {
    const bool behaves = cohort != 0 && phase >= cohorts[cohort - 1u].from_phase;
    return (behaves ? cohort * phases : 0) + phase;
  }
  // Who reads slowly on purpose may be closed, and miss what came meanwhile.
  bool is_judged(std::uint8_t cohort) const {
    return cohort == 0 || !cohorts[cohort - 1u].reads_slowly();
  }
  std::size_t replay_bucket() const { return phases * (1 + cohorts.size()); }
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
  ChurnCounts churn;
  std::uint64_t storm_losses = 0;
  std::array<std::uint64_t, kBucketsMax> received{};  // replayed ones too
  std::array<std::uint64_t, kBucketsMax> replayed{};
  std::array<std::uint64_t, kBucketsMax> untimed{};  // that neither ring nor spill could hold
  Histogram connect;
  Histogram tls;
  Histogram first_event;
  Histogram heartbeat_gap;
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
  const Ledger& ledger() const { return ledger_; }  // by entry_of()
  std::size_t entry_of(std::size_t slot, std::uint32_t place) const {
    return slot * plan_.topics_each + place;
  }
  std::size_t slots() const { return slots_; }
  bool streams_at_end(std::size_t slot) const;  // once the thread has ended
  std::uint64_t number_of(std::size_t slot) const { return number_ + slot * plan_.shards; }

  // User-space memory of one idle connection with so many topics, ledger included.
  static std::size_t connection_bytes(std::uint32_t topics = 1);
  static std::size_t slots_of(std::uint64_t connections, unsigned shards, unsigned number) {
    return static_cast<std::size_t>((connections + shards - 1 - number) / shards);
  }

 private:
  struct Slot;
  struct Carrier;
  struct Events;  // the handler of one read
  struct Retry {
    Instant at;
    std::uint32_t slot;
    std::uint32_t generation;  // of the slot: void if it was tried, or left, since
    bool operator>(const Retry& other) const { return at > other.at; }
  };

  // What a subscriber does of itself, at its time (behaviour_shard.cc).
  struct Act {
    enum class Kind : std::uint8_t { leave, leave_in_turn, lose, read_on, stop, go_away };
    Instant at;
    std::uint32_t slot = 0;
    std::uint32_t stamp = 0;  // of the life or socket that it is for
    Kind kind = Kind::leave;
    std::uint8_t storm = 0;  // lose: which
    bool operator>(const Act& other) const { return at > other.at; }
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

  void act_due(Instant now);
  void perform(const Act& act, Instant now);
  void begin_cohort(std::size_t cohort, Instant now);
  void begin_storm(std::size_t storm, Instant begin);
  void behave(std::size_t slot, Instant now);  // a stream is open
  void behave_in_cohort(std::size_t slot, Instant now);
  bool waits_to_leave(std::size_t slot, Instant now);
  void leave(std::size_t slot, Instant now);
  void lose_on_purpose(std::size_t slot, const StormSpec& storm, Instant now);
  void go_away(std::size_t slot, Instant now);
  void hold_back(std::size_t slot, Instant until);
  // The connection of a slot that shares it with nobody.
  int socket_of(std::size_t slot) const;
  void set_receive_buffer(std::size_t slot, int socket) const;
  void read_on(Carrier& carrier);
  void read_on(std::size_t slot);
  bool waits_before_reading(std::size_t slot, Instant now);
  std::size_t read_limit(const Slot& slot) const;
  void after_read(std::size_t slot, std::size_t bytes, Instant now);
  const CohortSpec* behaviour(const Slot& slot) const;

  void connect(std::size_t slot, Instant now);
  const io::Address* source_of(std::size_t slot) const;
  void send_request(std::size_t slot);
  // shard_topics.cc: what a connection follows
  void list_topics();
  std::string topics_text(std::size_t slot) const;
  std::optional<std::uint32_t> place_of(std::size_t slot, const Payload& payload) const;
  void open_ledger(std::size_t slot, Baseline baseline, Instant now);
  void write_request(std::string& out, std::size_t slot);
  void ready(std::size_t slot, const io::Ready& ready);
  void read(std::size_t slot);
  void take_progress(std::size_t slot, StreamConnection::Progress progress);
  void lost(std::size_t slot, ConnectFailure failure, std::string_view why);
  void schedule_retry(std::size_t slot, Instant now);
  void retry_at(std::size_t slot, Instant at);
  void close(Slot& slot);

  // shard_resume.cc: what is said on coming back
  std::string_view claim_id(Slot& slot);
  void expect_answer(std::size_t slot);

  // shard_carrier.cc: subscribers that ride on connections of HTTP/2 or TLS
  static constexpr std::uint64_t kCarrierBit = std::uint64_t{1} << 31;  // in a poller's token
  static std::uint64_t carrier_token(const Carrier& carrier);
  void board(std::size_t slot);
  void alight(std::size_t slot);
  void connect(Carrier& carrier);
  void carrier_ready(std::size_t number, std::uint32_t generation, const io::Ready& ready);
  bool shake_hands(Carrier& carrier);
  void begin(Carrier& carrier, bool http2);
  void ask(Carrier& carrier, std::size_t slot);
  void flush_later(Carrier& carrier);
  void flush_carriers();
  void flush(Carrier& carrier);
  void await(Carrier& carrier);
  void read(Carrier& carrier);
  std::size_t read_all(Carrier& carrier, std::size_t limit);
  bool holds_back(const Carrier& carrier) const;
  void take(Carrier& carrier, std::string_view bytes);
  void lose(Carrier& carrier, ConnectFailure failure, const std::string& why);

  void flush_spill();
  void deliver(const Delivery& delivery);
  void census();
  std::string offender(std::size_t slot, std::uint32_t place, std::uint32_t sequence) const;

  const ShardPlan& plan_;
  const unsigned number_;
  const std::size_t slots_;
  const Clock& clock_;
  std::optional<io::Poller> poller_;  // lives in the shard's own descriptor table
  io::Wakeup wakeup_;
  io::SpscRing<ShardOrder> orders_;
  io::SpscRing<Delivery> deliveries_;
  io::SpscRing<ShardStatus> statuses_;

  std::vector<Slot> connections_;
  std::vector<std::unique_ptr<Carrier>> carriers_;  // none: every slot has a plain socket
  std::vector<std::size_t> flush_due_;              // carriers with something to send
  std::vector<std::unique_ptr<http2::ClientSession>> doomed_;  // ended within this turn
  Ledger ledger_;
  std::vector<std::uint32_t> topics_;  // by ledger entry; empty while each has one topic
  ShardCounts counts_;
  std::vector<Delivery> spill_;  // what the ring had no room for
  std::size_t spill_at_ = 0;     // how much of it has gone since

  ShardOrder ramp_;              // the one under way
  std::uint64_t ramp_next_ = 0;  // the next connection of ours in it
  std::priority_queue<Retry, std::vector<Retry>, std::greater<>> retries_;
  std::priority_queue<Act, std::vector<Act>, std::greater<>> acts_;
  std::array<bool, kCohortsMax> behaves_{};  // cohorts that have begun
  std::vector<Fd> left_open_;                // of silent storms
  Instant next_leave_{};                     // not before, by churn's rate_cap
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
  Instant began_{};
  bool publishing_ = false;
  bool measuring_ = false;
  bool stopped_ = false;
  bool counted_ = false;
  std::unique_ptr<char[]> buffer_;
  std::string request_;
  std::string headers_;  // of a request, as lines
  std::string claim_;    // a Last-Event-ID that nobody saw
  RecentPositions recent_;
  // Slots that asked for what they had seen, with the last event that came again; 0: none yet. At
  // most one a connection.
  std::unordered_map<std::uint32_t, std::uint32_t> repeats_;
};

}  // namespace rt
