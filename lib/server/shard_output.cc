// Events and bytes: from the hub to the sockets.
#include <fmt/format.h>
#include <sys/socket.h>

#include "server/gzip_frames.h"
#include "server/run_go_frames.h"
#include "server/shard.h"

namespace rt::server {

void Shard::take_messages() {
  // As many as were there when it looked, so that sockets get their turn too.
  ToShard message;
  for (std::size_t left = link_.to_shard.size(); left > 0 && link_.to_shard.pop(message); --left) {
    switch (message.kind) {
      case ToShard::Kind::event:
        on_event(std::move(message.event));
        break;
      case ToShard::Kind::chunk:
        on_chunk(message);
        break;
      case ToShard::Kind::answer:
        on_answer(message);
        break;
      case ToShard::Kind::reset:
        on_reset();
        break;
      case ToShard::Kind::finish:
        if (phase_ == Phase::draining) finish();
        break;
      case ToShard::Kind::none:
        break;
    }
  }
  if (link_.to_shard.size() > 0) link_.shard_wakeup.ring();
}

std::string_view Shard::frame_for(const Connection& connection, const EventBlock& event) {
  if (event.content().surface != connection.surface) return {};
  if (connection.surface != Surface::runs) {
    return event.frame_for_target(connection.target, connection.gzip);
  }
  if (event.position() <= connection.seen) return {};
  return connection.filter ? event.frame_for(*connection.filter)
                           : event.frame_for_run(connection.target);
}

void Shard::on_event(EventRef event) {
  ++event_stamp_;
  std::uint64_t sent = 0;  // counted once: all shards share the counter
  for (const std::uint64_t key : event->content().keys) {
    index_.for_each(key, [&](Slot slot) {
      Connection& connection = connections_[slot];
      // Two of its keys may have led here. While it catches up, the hub sends it what it is owed.
      if (connection.last_event == event_stamp_) return;
      connection.last_event = event_stamp_;
      if (connection.state != Connection::State::live || connection.leaving) return;
      const std::string_view frame = frame_for(connection, *event);
      if (frame.empty()) return;
      const bool in_time = write_event(slot, event, frame);
      if (in_time) ++sent;
      if (event->content().last) {
        if (journal_ && in_time) journal_->note_reason(slot, "done");
        leave(slot);
      }
    });
  }
  counters_.events_sent.fetch_add(sent, std::memory_order_relaxed);
  end_leaving();
}

void Shard::on_chunk(ToShard& message) {
  const Slot slot = message.connection.slot;
  Connection& connection = connections_[slot];
  if (connection.generation != message.connection.generation || !connection.is_subscribed()) return;
  if (connection.surface != Surface::runs) return on_told(slot, message);
  connection.state = message.live ? Connection::State::live : Connection::State::catching_up;
  connection.seen = message.seen;
  if (connection.head_sent) {
    if (!message.text.empty()) {
      write_text(slot, std::move(message.text));
    } else if (!connection.backlog) {
      output_drained(slot);
    }
    return;
  }
  begin_stream(slot, std::string(run_stream_head()).append(message.text));
}

std::string_view Shard::run_stream_head() const {
  return options_.compat_go ? kGoStreamHead : kStreamHead;
}

// `text` begins with the head of HTTP/1.1, which HTTP/2 says in its own way.
void Shard::begin_stream(Slot slot, std::string text) {
  Connection& connection = connections_[slot];
  connection.head_sent = true;
  if (options_.cors != nullptr) options_.cors->apply_to_head(text, connection.cors);
  const std::size_t end = text.find("\r\n\r\n") + 2;
  if (journal_) journal_->opened(slot, connection.stream != 0 ? 0 : end + 2);
  if (connection.stream != 0) {
    const std::size_t lines = text.find("\r\n") + 2;
    session_of(connection)
        .open(connection.stream, 200, std::string_view(text).substr(lines, end - lines));
    flush_later(connection.carrier);
    text.erase(0, end + 2);
  }
  write_text(slot, std::move(text));
}

void Shard::on_answer(ToShard& message) {
  const Slot slot = message.connection.slot;
  Connection& connection = connections_[slot];
  if (connection.generation != message.connection.generation) return;
  if (connection.state != Connection::State::answering) return;
  answer(slot, *message.answer, connection.incoming->keep_alive);
}

// The past is gone: every subscriber is told, and gets the current state.
void Shard::on_reset() {
  for (Slot slot = 0; slot < connections_.size(); ++slot) {
    Connection& connection = connections_[slot];
    if (!connection.is_subscribed() || connection.surface != Surface::runs) continue;
    auto filter = connection.filter
                      ? connection.filter
                      : std::make_shared<const RunFilter>(RunFilter::one_run(connection.target));
    if (connection.head_sent) {
      const std::uint32_t generation = connection.generation;
      write_text(slot, ": the server lost its place in the stream; sending the current state\n\n");
      if (connection.generation != generation) continue;
    }
    unsubscribe(slot);
    subscribe(slot, std::move(filter), Begin{});
  }
}

void Shard::subscribe(Slot slot, std::shared_ptr<const RunFilter> filter, const Begin& begin) {
  Connection& connection = connections_[slot];
  connection.state = Connection::State::subscribing;
  if (filter->is_one_run()) {
    connection.target = *filter->run();
    connection.filter.reset();
  } else {
    connection.filter = filter;
  }
  for (const std::uint64_t key : filter->keys()) index_.add(key, slot, connection.chain);
  counters_.subscribers.fetch_add(1, std::memory_order_relaxed);
  if (phase_ == Phase::finishing) return turn_away(slot, std::string(run_stream_head()));
  ToHub message;
  message.kind = ToHub::Kind::subscribe;
  message.connection = id_of(slot);
  message.filter = std::move(filter);
  message.resume = begin.resume;
  message.foreign_id = begin.foreign_id;
  message.new_only = begin.new_only;
  tell_hub(std::move(message));
}

// Bytes that the socket, or the stream's session, took.
std::size_t Shard::write_now(Slot slot, std::string_view bytes) {
  const Connection& connection = connections_[slot];
  std::size_t taken = 0;
  if (connection.stream == 0) {
    taken = send(slot, bytes);
  } else {
    begin_frames(connection.carrier);
    taken = session_of(connection).write(connection.stream, bytes);
  }
  if (journal_) journal_->wrote(slot, taken);
  return taken;
}

// False: it was too slow for it.
bool Shard::write_event(Slot slot, const EventRef& event, std::string_view frame) {
  Connection& connection = connections_[slot];
  if (!connection.backlog) {
    const std::size_t sent = write_now(slot, frame);
    if (sent == frame.size()) return true;
    connection.backlog = std::make_unique<Backlog>();
    connection.backlog->push(event, frame.substr(sent));
    if (sent > 0) connection.backlog->mark_started();
    want_write(slot);
    return true;
  }
  if (!has_room(connection, frame.size())) {
    be_slow(slot);
    return false;
  }
  connection.backlog->push(event, frame);
  return true;
}

// Whether the slow-client limits let its backlog take so much more.
bool Shard::has_room(const Connection& connection, std::size_t bytes) const {
  const Backlog& backlog = *connection.backlog;
  if (backlog.owed_bytes() + bytes > options_.backlog_bytes_max) return false;
  if (connection.surface == Surface::runs) return true;
  const std::size_t events_max = rules_of(connection).backlog_events_max;
  return events_max == 0 || backlog.owed_events() < events_max;
}

// One event more than a subscriber may leave unread.
void Shard::be_slow(Slot slot) {
  const Connection& connection = connections_[slot];
  const bool drops = connection.surface != Surface::runs &&
                     rules_of(connection).when_slow == StreamRules::WhenSlow::drop;
  return drops ? miss_event(slot) : close_slow(slot);
}

// Text that is an event for this subscriber alone.
void Shard::write_owed(Slot slot, std::string text) {
  Connection& connection = connections_[slot];
  if (!connection.backlog) {
    const std::size_t sent = write_now(slot, text);
    if (sent == text.size()) return output_drained(slot);
    connection.backlog = std::make_unique<Backlog>();
    connection.backlog->push_owed(text.substr(sent));
    if (sent > 0) connection.backlog->mark_started();
    return want_write(slot);
  }
  if (has_room(connection, text.size())) return connection.backlog->push_owed(std::move(text));
  be_slow(slot);
  end_leaving();
}

void Shard::write_text(Slot slot, std::string text) {
  Connection& connection = connections_[slot];
  if (connection.backlog) {
    connection.backlog->push(std::move(text));
    return;
  }
  const std::size_t sent = write_now(slot, text);
  if (sent == text.size()) {
    output_drained(slot);
    return;
  }
  connection.backlog = std::make_unique<Backlog>();
  connection.backlog->push(text.substr(sent));
  if (sent > 0) connection.backlog->mark_started();
  want_write(slot);
}

void Shard::on_writable(Slot slot) {
  if (!flush_sealed(slot)) return;
  Connection& connection = connections_[slot];
  if (connection.state == Connection::State::carrying) return flush_later(slot);
  if (!connection.backlog) {
    want_write(slot);
    return output_drained(slot);
  }
  while (!connection.backlog->empty()) {
    const std::string_view bytes = connection.backlog->front();
    const std::size_t sent = write_now(slot, bytes);
    if (sent > 0) connection.backlog->consume(sent);
    if (sent < bytes.size()) return;
  }
  const std::string note = missed_note(*connection.backlog);
  connection.backlog.reset();
  want_write(slot);
  if (note.empty()) return output_drained(slot);
  write_text(slot, connection.gzip ? gzip_blocks(note) : note);
}

std::string Shard::missed_note(Backlog& backlog) {
  const std::uint32_t missed = backlog.take_missed();
  return missed == 0 ? std::string() : fmt::format(": missed {} events: too slow\n\n", missed);
}

// Everything handed over so far is with the kernel, or with the stream's session.
void Shard::output_drained(Slot slot) {
  Connection& connection = connections_[slot];
  if (holds_sealed(connection)) return;  // not yet: on_writable() comes here again
  if (connection.state == Connection::State::catching_up) {
    ToHub message;
    message.kind = ToHub::Kind::fetch;
    message.connection = id_of(slot);
    tell_hub(std::move(message));
  } else if (connection.state == Connection::State::reading && connection.incoming) {
    take_input(slot, std::exchange(connection.incoming->pending, {}));
  } else if (connection.state == Connection::State::closing) {
    if (connection.stream != 0) {
      session_of(connection).end(connection.stream);
      flush_later(connection.carrier);
      return release(slot);
    }
    if (io::TlsSession* const tls = tls_of(connection)) tls->say_goodbye();
    ::shutdown(connection.fd, SHUT_WR);
    connection.state = Connection::State::lingering;
  }
}

// What it is owed is bounded, and it is told. It can come back and resume from its last event.
void Shard::close_slow(Slot slot) {
  counters_.slow_disconnects.fetch_add(1, std::memory_order_relaxed);
  if (journal_) journal_->note_reason(slot, "slow");
  Connection& connection = connections_[slot];
  connection.backlog->drop_unstarted();
  const std::string goodbye = ": closed: too slow, more than the allowed backlog was unsent\n\n";
  connection.backlog->push(connection.gzip ? gzip_blocks(goodbye) : goodbye);
  tell_missed(connection);
  leave(slot);
}

// The subscriber stays; how much it missed it is told when it has caught up.
void Shard::miss_event(Slot slot) {
  Connection& connection = connections_[slot];
  counters_.events_dropped.fetch_add(1, std::memory_order_relaxed);
  if (!connection.backlog->has_missed()) tell_missed(connection);
  connection.backlog->count_missed();
}

void Shard::tell_missed(const Connection& connection) {
  if (connection.surface == Surface::runs) return;
  ToHub message;
  message.kind = ToHub::Kind::missed;
  message.surface = connection.surface;
  message.target = connection.target;
  tell_hub(std::move(message));
}

// The index is being iterated: it is taken out afterwards.
void Shard::leave(Slot slot) {
  Connection& connection = connections_[slot];
  if (connection.leaving) return;
  connection.leaving = true;
  leaving_.push_back(slot);
}

void Shard::end_leaving() {
  for (const Slot slot : leaving_) end_after_output(slot);
  leaving_.clear();
}

}  // namespace rt::server
