// The way out: no new connections, what was accepted is delivered, and everyone is told.
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "server/gzip_frames.h"
#include "server/shard.h"

namespace rt::server {

// True: nothing is left to do here. The phases are draining (until the hub has sent its last
// message) and finishing (until the sockets have taken what is theirs).
bool Shard::drain() {
  if (phase_ == Phase::serving) begin_drain();
  if (waiting_for_hub_.empty() && !link_.draining.exchange(true, std::memory_order_acq_rel)) {
    hub_.ring();
  }
  const bool is_late = now_ >= drain_.deadline();
  if (is_late && phase_ == Phase::draining) finish();
  if (phase_ == Phase::draining) return false;
  flush_sessions();
  while (!owing_.empty() && !holds_output(owing_.back())) owing_.pop_back();
  if (owing_.empty() && !std::exchange(is_done_, true)) {
    drain_.add_shard_done();
    hub_.ring();  // it tells the others
  }
  return is_late || drain_.shards_done() >= options_.shards;
}

// New connections go elsewhere from now on. Those in the queue of the listener are here already;
// they would be reset with it.
void Shard::begin_drain() {
  phase_ = Phase::draining;
  constexpr int kTurnsMax = 64;  // the longest queue that there may be
  for (int turn = 0; turn < kTurnsMax && accept_some(listener_, /*for_health=*/false);) ++turn;
  listener_.close();
  is_paused_ = false;
  next_tick_ = now_;  // without connections there was none
}

// The hub's last word: every stream gets its goodbye after what it is owed, and ends.
void Shard::finish() {
  phase_ = Phase::finishing;
  for (Slot slot = 0; slot < connections_.size(); ++slot) finish(slot);
  for (Slot slot = 0; slot < connections_.size(); ++slot) {
    if (connections_[slot].state == Connection::State::carrying) {
      connections_[slot].transport->http2->go_away();
      flush_later(slot);
    }
    if (holds_output(slot)) owing_.push_back(slot);
  }
}

void Shard::finish(Slot slot) {
  Connection& connection = connections_[slot];
  switch (connection.state) {
    case Connection::State::subscribing:
    case Connection::State::catching_up:
    case Connection::State::live:
      // Without a head its surface has not let it begin.
      return connection.head_sent ? say_goodbye(slot) : close(slot);
    case Connection::State::answering:
      drain_.add_unanswered();
      return refuse(slot, 503, "the server ends before it knows what came of this\n",
                    "Retry-After: 1\r\n");
    case Connection::State::body:
      return refuse_draining(slot);
    case Connection::State::reading:  // it may ask, and is told that the server ends
    case Connection::State::free:
    case Connection::State::carrying:
    case Connection::State::closing:
    case Connection::State::lingering:
      return;
  }
}

// Come back in 1 to 5 s, not all at once.
std::string Shard::goodbye_of(const Connection& connection, Slot slot) const {
  const bool is_runs = connection.surface == Surface::runs;
  const std::string pause = fmt::format("retry: {}\n\n", 1000 + slot * 37 % 4000);
  if (is_runs) return pause + ": server shutting down\n\n";
  const StreamRules& rules = rules_of(connection);
  return (rules.goodbye_sets_pause ? pause : "") + rules.goodbye;
}

void Shard::say_goodbye(Slot slot) {
  drain_.add_goodbye();
  say_last(slot, goodbye_of(connections_[slot], slot));
}

// After what it is owed.
void Shard::say_last(Slot slot, std::string_view goodbye) {
  Connection& connection = connections_[slot];
  std::string text = connection.backlog ? missed_note(*connection.backlog) : std::string();
  text += goodbye;
  const std::uint32_t generation = connection.generation;
  write_text(slot, connection.gzip ? gzip_blocks(text) : text);
  if (connection.generation == generation) end_after_output(slot);
}

// Who subscribes now is told to come back: a 503 would end an EventSource for good.
void Shard::turn_away(Slot slot, std::string opening) {
  const std::uint32_t generation = connections_[slot].generation;
  begin_stream(slot, std::move(opening));
  if (connections_[slot].generation != generation) return;
  say_goodbye(slot);
  if (holds_output(slot)) owing_.push_back(slot);
}

void Shard::refuse_draining(Slot slot) {
  refuse(slot, 503, "server draining\n", retry_after(slot));
}

std::string Shard::retry_after(Slot slot) {
  return fmt::format("Retry-After: {}\r\n", 1 + slot % 5);
}

// Whether something is left for the socket to take.
bool Shard::holds_output(Slot slot) const {
  const Connection& connection = connections_[slot];
  if (connection.backlog || holds_sealed(connection)) return true;
  if (!connection.transport || !connection.transport->http2) return false;
  return connection.transport->flush_due || !connection.transport->http2->output().empty();
}

// Everything is with the kernel, or its time is over.
void Shard::close_all() {
  if (phase_ != Phase::finishing) finish();
  flush_sessions();
  for (Slot slot = 0; slot < connections_.size(); ++slot) {
    Connection& connection = connections_[slot];
    const bool was_told = connection.state == Connection::State::closing;
    if (was_told && connection.backlog) drain_.add_cut_off(connection.backlog->owed_events());
    if (connection.fd < 0) continue;
    if (io::TlsSession* const tls = tls_of(connection)) tls->say_goodbye();
    ::shutdown(connection.fd, SHUT_WR);
    ::close(connection.fd);
    counters_.connections.fetch_sub(1, std::memory_order_relaxed);
  }
}

}  // namespace rt::server
