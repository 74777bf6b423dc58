// One I/O thread and everything it owns: a listener, connections with a descriptor table of their
// own, and the index of who wants what. It takes no lock and shares nothing mutable but counters;
// it speaks to the hub through its Link. All methods run on the shard's thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "io/current_tls.h"
#include "io/poller.h"
#include "io/socket.h"
#include "server/access_journal.h"
#include "server/connection.h"
#include "server/counters.h"
#include "server/drain.h"
#include "server/endpoint.h"
#include "server/link.h"
#include "server/posting_lists.h"
#include "server/responses.h"
#include "server/stream_ends.h"

namespace rt::server {

class Shard {
 public:
  struct Options {
    io::Address listen;                    // shared with the other shards
    int inherited = -1;                    // listens there already, for all shards; or -1
    std::optional<io::Address> health_at;  // a port for health, of this shard alone
    // With a port of its own health is not found on the other one. In any order.
    std::vector<std::string> health_paths;
    bool has_health_port = false;            // one of the shards has
    std::size_t shards = 1;                  // of the server
    std::size_t connections_max = 0;         // of this shard; bounded by its descriptor table
    std::size_t server_connections_max = 0;  // of all shards
    std::size_t streams_max = 0;             // of HTTP/2, of this shard
    std::size_t server_streams_max = 0;      // of all shards
    std::uint32_t http2_streams_max = 256;   // of one connection
    Duration keepalive_every = std::chrono::seconds(15);
    bool keepalive_as_event = false;            // for clients that listen for an event of that name
    std::size_t backlog_bytes_max = 64 * 1024;  // unsent live events; a slower client is closed
    TagsMatch tags_match = TagsMatch::any;
    bool accepts_publish = false;
    bool runs = true;        // the runs surface is served
    bool compat_go = false;  // its answers are the Go service's
    Duration request_time;   // see ServerOptions
    http1::RequestLimits limits;
    int unsent_bytes_max = 16 * 1024;  // of a socket, in the kernel; a session of HTTP/2 has more
    std::function<std::string()> health;     // JSON; thread-safe
    std::vector<ServedEndpoint> endpoints;   // asked in this order
    const io::CurrentTls* tls = nullptr;     // never null; outlives the shard
    AccessLog::Tap* access = nullptr;        // null: there is no access log; outlives the shard
    std::shared_ptr<const CorsPolicy> cors;  // or null: each surface says what it says
  };

  Shard(Options options, const Clock& clock, Link& link, io::Wakeup& hub, Counters& counters,
        Drain& drain);

  // The thread's body. `started` is told once whether the listeners stand. It ends by itself when
  // the drain has begun and nothing is left to be sent.
  void run(const std::stop_token& stop, const std::function<void(Result<void>)>& started);

 private:
  using Slot = std::uint32_t;
  struct Deadline {
    Instant at;
    Slot slot;
    std::uint32_t generation;
    std::uint32_t request;
  };

  Result<void> open();
  void loop(const std::stop_token& stop);
  void on_ready(const io::Ready& ready);
  void tick();
  void send_keepalives(Surface surface, Duration every, const std::string& frame);

  // shard_drain.cc
  enum class Phase : std::uint8_t { serving, draining, finishing };
  bool drain();
  void begin_drain();
  void finish();
  void finish(Slot slot);
  void say_goodbye(Slot slot);
  void say_last(Slot slot, std::string_view goodbye);
  std::string goodbye_of(const Connection& connection, Slot slot) const;
  void turn_away(Slot slot, std::string opening);
  void refuse_draining(Slot slot);
  static std::string retry_after(Slot slot);
  bool holds_output(Slot slot) const;
  void close_all();

  // shard_listener.cc
  Result<void> open_listener();
  bool leaves_to_others() const;
  void pause_listening();
  void resume_listening();

  // shard.cc: connections
  bool accept_some(const Fd& listener, bool for_health);
  void refuse_full(const Fd& fd) const;
  std::optional<Slot> take_slot();
  void release(Slot slot);
  void close(Slot slot);
  void end_after_output(Slot slot);
  void expire_deadlines();

  // shard_socket.cc: bytes of sockets
  struct Received {
    std::string_view bytes{};  // in read_buffer_; none: there are none now
    bool drained = false;      // there is nothing more to read now
    bool gone = false;
  };
  Received receive(Slot slot);
  Received receive_sealed(Slot slot, io::TlsSession& tls);
  std::size_t send(Slot slot, std::string_view bytes);
  bool flush_sealed(Slot slot);
  static io::TlsSession* tls_of(const Connection& connection);
  static bool holds_sealed(const Connection& connection);
  void want_write(Slot slot);

  // shard_http2.cc
  struct Carrier;
  bool sniff_http2(Slot slot, std::string_view& bytes);
  void begin_http2(Slot slot, std::string_view bytes);
  void take_frames(Slot slot, std::string_view bytes);
  void await_streams(Slot slot);
  void expire_session(Slot slot);
  void on_stream_request(Slot carrier, http2::StreamId stream, const http1::RequestHead& head);
  void refuse_stream(Slot carrier, http2::StreamId stream, int status, std::string_view text);
  http2::Session& session_of(const Connection& stream);
  void respond_on_stream(Slot slot, const Response& response);
  void flush_later(Slot carrier);
  void begin_frames(Slot carrier);
  void flush_sessions();
  void flush_session(Slot slot);
  void end_session(Slot slot);
  void release_streams(Slot carrier);

  // shard_input.cc: requests
  void on_readable(Slot slot);
  void take_input(Slot slot, std::string_view bytes);
  static http1::HeadStatus receive_head(Incoming& incoming, std::string_view& bytes);
  void hold_input(Slot slot, std::string_view bytes);
  void route(Slot slot, const http1::RequestHead& head);
  bool is_health(std::string_view path) const;
  void tell_health(Slot slot, const http1::RequestHead& head);
  void open_runs(Slot slot, const http1::RequestHead& head);
  void begin_publish(Slot slot, const http1::RequestHead& head);
  void finish_publish(Slot slot);
  void refuse(Slot slot, int status, std::string_view text, std::string_view extra_headers = "");
  void respond(Slot slot, const Response& response);
  void send_answer(Slot slot, const Response& response);
  void await_request(Slot slot);

  // shard_body.cc
  void await_body(Slot slot, const http1::RequestHead& head, std::uint64_t bytes_max);
  void invite_body(Slot slot);
  void take_body(Slot slot, std::string_view& bytes);
  void take_chunks(Slot slot, std::string_view& bytes);
  static bool add_to_body(Incoming& incoming, std::string_view bytes);
  void end_body(Slot slot);
  void finish_body(Slot slot);
  static constexpr std::string_view kBodyTooLarge = "the body is too large\n";

  // shard_surfaces.cc
  bool route_surfaces(Slot slot, const http1::RequestHead& head);
  void note_access(Slot slot, Surface surface, const Outcome& outcome);
  void on_body(Slot slot);
  void act(Slot slot, const ServedEndpoint& served, Outcome&& outcome, bool keep_alive);
  void answer(Slot slot, const Answer& answer, bool keep_alive);
  void open_stream(Slot slot, const ServedEndpoint& served, std::unique_ptr<Opening> opening);
  void end_with_token(Slot slot, WallTime at);
  void end_expired();
  void on_told(Slot slot, ToShard& message);
  const StreamRules& rules_of(const Connection& connection) const {
    return *rules_[static_cast<std::size_t>(connection.surface)];
  }

  // shard_output.cc: events and bytes
  void take_messages();
  void on_event(EventRef event);
  static std::string_view frame_for(const Connection& connection, const EventBlock& event);
  void on_chunk(ToShard& message);
  void on_answer(ToShard& message);
  void on_reset();
  struct Begin {
    std::optional<Position> resume;  // after this event
    bool foreign_id = false;         // a Last-Event-ID that is not ours was sent
    bool new_only = false;           // not the rows as they are
  };
  void subscribe(Slot slot, std::shared_ptr<const RunFilter> filter, const Begin& begin);
  void begin_stream(Slot slot, std::string text);
  std::string_view run_stream_head() const;
  bool write_event(Slot slot, const EventRef& event, std::string_view frame);
  void write_text(Slot slot, std::string text);
  void write_owed(Slot slot, std::string text);
  bool has_room(const Connection& connection, std::size_t bytes) const;
  void be_slow(Slot slot);
  static std::string missed_note(Backlog& backlog);
  void on_writable(Slot slot);
  void output_drained(Slot slot);
  void close_slow(Slot slot);
  void miss_event(Slot slot);
  void tell_missed(const Connection& connection);
  void leave(Slot slot);
  void end_leaving();
  std::size_t write_now(Slot slot, std::string_view bytes);

  AccessJournal::Peer peer_of(const Connection& connection) const;
  void tell_hub(ToHub&& message);
  void flush_to_hub();
  void unsubscribe(Slot slot);
  std::uint64_t token(Slot slot) const {
    return std::uint64_t{connections_[slot].generation} << 32 | slot;
  }
  // Streams of HTTP/2 need a slot and no descriptor.
  std::size_t slots_max() const {
    return options_.connections_max + kHealthConnectionsMax + options_.streams_max;
  }
  bool has_room_for_stream() const {
    return open_count_ - socket_count_ < options_.streams_max &&
           counters_.streams.load(std::memory_order_relaxed) < options_.server_streams_max;
  }
  ConnectionId id_of(Slot slot) const { return {slot, connections_[slot].generation}; }

  static constexpr std::uint64_t kHealthToken = 0xFFFFFFFD;
  static constexpr std::uint64_t kWakeupToken = 0xFFFFFFFE;
  static constexpr std::uint64_t kListenerToken = 0xFFFFFFFF;
  static constexpr std::size_t kReadBytes = 64 * 1024;
  // What a client that is being closed has to take its last bytes.
  static constexpr auto kClosingTime = std::chrono::seconds(5);
  // Beyond connections_max, so that a full server can say that it is; within what the plan of
  // shards leaves for other descriptors.
  static constexpr std::size_t kHealthConnectionsMax = 16;
  static constexpr auto kTick = std::chrono::milliseconds(100);

  const Options options_;
  const Clock& clock_;
  Link& link_;
  io::Wakeup& hub_;
  Counters& counters_;
  Drain& drain_;
  io::CurrentTls::View tls_;
  std::optional<AccessJournal> journal_;  // if there is an access log

  std::optional<io::Poller> poller_;
  Fd listener_;
  Fd health_listener_;  // or none
  Phase phase_ = Phase::serving;
  std::vector<Slot> owing_;              // finishing: whose output may not be out yet
  bool is_done_ = false;                 // finishing: there was none left
  bool is_paused_ = false;               // the listener is not watched
  std::vector<Connection> connections_;  // capacity reserved: a reference stays valid
  std::vector<Slot> free_slots_;
  std::size_t open_count_ = 0;  // sockets and streams
  std::size_t socket_count_ = 0;
  PostingLists index_;
  std::deque<Deadline> request_deadlines_;  // ascending
  std::deque<Deadline> closing_deadlines_;  // ascending
  StreamEnds stream_ends_;
  std::deque<ToHub> waiting_for_hub_;  // while the ring is full; one per connection at most
  std::vector<Slot> leaving_;          // found while iterating the index
  std::vector<Slot> flush_due_;        // sessions of HTTP/2, at the end of this turn
  Slot last_carrier_ = 0;              // whose session was written to last
  // By surface; null: it has no streams of this kind.
  std::array<const StreamRules*, kSurfaceCount> rules_{};
  std::uint32_t event_stamp_ = 0;
  Instant now_;
  Instant next_tick_;
  std::uint32_t ticks_ = 0;
  bool hub_has_mail_ = false;
  std::array<char, kReadBytes> read_buffer_;
};

}  // namespace rt::server
