// Requests for surfaces: their endpoints say what a request means, their boards in the hub do it.
#include "server/gzip_frames.h"
#include "server/shard.h"

namespace rt::server {
namespace {

template <typename T>
std::unique_ptr<T> boxed(Outcome& outcome) {
  T* const chosen = std::get_if<T>(&outcome);
  return chosen == nullptr ? nullptr : std::make_unique<T>(std::move(*chosen));
}

}  // namespace

// False: no surface's path.
bool Shard::route_surfaces(Slot slot, const http1::RequestHead& head) {
  for (const ServedEndpoint& served : options_.endpoints) {
    Outcome outcome = served.endpoint->on_request(head);
    if (std::holds_alternative<NotMine>(outcome)) continue;
    const auto* const body = std::get_if<BodyWanted>(&outcome);
    if (journal_) note_access(slot, served.surface, outcome);
    if (body == nullptr) {
      // A body that nobody reads would be taken for the next request.
      const auto* const whole = std::get_if<Answer>(&outcome);
      const bool refused = whole != nullptr && whole->status >= 400;
      act(slot, served, std::move(outcome), head.keep_alive && !head.has_body() && !refused);
    } else {
      Incoming& incoming = *connections_[slot].incoming;
      incoming.endpoint = &served;
      incoming.name = body->name;
      if (!head.has_body()) {
        on_body(slot);
      } else {
        await_body(slot, head, body->bytes_max);
      }
    }
    return true;
  }
  return false;
}

void Shard::note_access(Slot slot, Surface surface, const Outcome& outcome) {
  journal_->note_surface(slot, surface);
  if (const auto* const body = std::get_if<BodyWanted>(&outcome)) {
    journal_->note_principal(slot, body->principal);
  } else if (const auto* const opening = std::get_if<Opening>(&outcome)) {
    journal_->note_principal(slot, opening->principal);
  }
}

void Shard::on_body(Slot slot) {
  Incoming& incoming = *connections_[slot].incoming;
  const ServedEndpoint& served = *incoming.endpoint;
  act(slot, served, served.endpoint->on_body(incoming.name, std::move(incoming.body)),
      incoming.keep_alive);
}

void Shard::act(Slot slot, const ServedEndpoint& served, Outcome&& outcome, bool keep_alive) {
  if (const auto* const whole = std::get_if<Answer>(&outcome)) {
    return answer(slot, *whole, keep_alive);
  }
  if (auto opening = boxed<Opening>(outcome)) return open_stream(slot, served, std::move(opening));
  auto question = boxed<Question>(outcome);
  RT_CHECK(question != nullptr);
  if (phase_ == Phase::finishing || (phase_ == Phase::draining && question->publishes)) {
    Answer refusal = served.endpoint->draining();
    refusal.headers += retry_after(slot);
    return answer(slot, refusal, /*keep_alive=*/false);
  }
  Connection& connection = connections_[slot];
  connection.incoming->keep_alive = keep_alive;
  connection.state = Connection::State::answering;
  ToHub message;
  message.kind = ToHub::Kind::ask;
  message.connection = id_of(slot);
  message.surface = served.surface;
  message.question = std::move(question);
  tell_hub(std::move(message));
}

void Shard::answer(Slot slot, const Answer& answer, bool keep_alive) {
  const bool refused = answer.status >= 400;
  if (refused) counters_.requests_refused.fetch_add(1, std::memory_order_relaxed);
  respond(slot, {.status = answer.status,
                 .content_type = answer.content_type,
                 .body = answer.body,
                 .extra_headers = answer.headers,
                 .keep_alive = keep_alive,
                 .head_only = connections_[slot].incoming->head_only});
}

// Nothing is sent before the board knows the subscriber: who has read the beginning misses nothing.
void Shard::open_stream(Slot slot, const ServedEndpoint& served, std::unique_ptr<Opening> opening) {
  Connection& connection = connections_[slot];
  connection.incoming = std::make_unique<Incoming>(options_.limits);  // and away with the request
  std::string& text = connection.incoming->opening;
  text = stream_head(opening->headers);
  if (opening->gzip) {
    text.append(kGzipHeader).append(gzip_blocks(opening->preamble));
  } else {
    text.append(opening->preamble);
  }
  connection.state = Connection::State::subscribing;
  connection.surface = served.surface;
  connection.gzip = opening->gzip;
  connection.target = opening->target;
  if (opening->ends_at) end_with_token(slot, *opening->ends_at);
  for (const std::uint64_t key : opening->keys) index_.add(key, slot, connection.chain);
  counters_.subscribers.fetch_add(1, std::memory_order_relaxed);
  if (phase_ == Phase::finishing) {
    const auto incoming = std::move(connection.incoming);
    return turn_away(slot, std::move(incoming->opening));
  }
  ToHub message;
  message.kind = ToHub::Kind::join;
  message.connection = id_of(slot);
  message.surface = served.surface;
  message.opening = std::move(opening);
  tell_hub(std::move(message));
}

void Shard::end_with_token(Slot slot, WallTime at) {
  stream_ends_.add({at, slot, connections_[slot].generation}, [this](const StreamEnds::End& end) {
    return connections_[end.slot].generation == end.generation;
  });
}

// Who asked is not known to be the same any more: what was owed until now goes out, then it is told
// and ends. A client with a new token can come back at once.
void Shard::end_expired() {
  if (stream_ends_.empty()) return;
  const WallTime now = clock_.wall();
  while (const auto due = stream_ends_.take_due(now)) {
    const Slot slot = due->slot;
    Connection& connection = connections_[slot];
    if (connection.generation != due->generation || !connection.is_subscribed()) continue;
    counters_.expired_disconnects.fetch_add(1, std::memory_order_relaxed);
    if (!connection.head_sent) {  // its board has not let it begin
      const auto incoming = std::move(connection.incoming);
      begin_stream(slot, std::move(incoming->opening));
      if (connection.generation != due->generation) continue;
    }
    if (journal_) journal_->note_reason(slot, "expired");
    say_last(slot, ": closed: the token has expired\n\n");
  }
}

// The board has something for one subscriber, which is live from here on.
void Shard::on_told(Slot slot, ToShard& message) {
  Connection& connection = connections_[slot];
  connection.state = Connection::State::live;
  std::string text;
  if (!message.text.empty()) text = connection.gzip ? gzip_blocks(message.text) : message.text;
  const std::uint32_t generation = connection.generation;
  if (!connection.head_sent) {
    std::string opening = std::move(connection.incoming->opening);
    connection.incoming.reset();
    begin_stream(slot, std::move(opening.append(text)));
  } else if (!text.empty() && !connection.leaving) {
    // The last word is said whatever the backlog; more would not follow.
    message.last ? write_text(slot, std::move(text)) : write_owed(slot, std::move(text));
  }
  if (!message.last || connection.generation != generation) return;
  if (journal_) journal_->note_reason(slot, "done");
  end_after_output(slot);
}

}  // namespace rt::server
