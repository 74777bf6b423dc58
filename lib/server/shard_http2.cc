// HTTP/2: a socket that carries a session, and its streams, which are connections without a socket.
// What a turn of the loop writes to all streams of a session leaves in one write at its end.
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "server/shard.h"

namespace rt::server {
namespace {

// A broadcast to a hundred streams is one write: more of it may stand in the kernel than of one
// subscriber's.
constexpr int kUnsentBytesMax = 128 * 1024;
// A batch that is worth a write of its own before the turn ends.
constexpr std::size_t kBatchBytes = 8 * 1024;

}  // namespace

// Hands a session's requests to the shard. Tags of streams are slots.
struct Shard::Carrier final : http2::Session::Owner {
  Carrier(Shard& owner, Slot own) : shard(owner), slot(own) {}

  void on_request(http2::StreamId stream, const http1::RequestHead& head) override {
    shard.on_stream_request(slot, stream, head);
  }
  void on_bad_request(http2::StreamId stream, const http1::Refusal& refusal) override {
    shard.refuse_stream(slot, stream, refusal.status, fmt::format("{}\n", refusal.text));
  }
  void on_body(http2::Tag tag, std::string_view bytes) override {
    if (shard.connections_[tag].state == Connection::State::body) shard.take_body(tag, bytes);
  }
  void on_request_end(http2::Tag tag) override { shard.end_body(tag); }
  void on_closed(http2::Tag tag) override { shard.release(tag); }
  void on_writable(http2::Tag tag) override { shard.on_writable(tag); }

  Shard& shard;
  const Slot slot;
};

// Whether bytes of a new connection are HTTP/2's preface (prior knowledge, RFC 9113 section 3.3).
// What may yet become one is kept.
bool Shard::sniff_http2(Slot slot, std::string_view& bytes) {
  constexpr std::string_view kMethod = http2::kPreface.substr(0, 4);  // "PRI ", no other's
  Connection& connection = connections_[slot];
  if (connection.stream != 0 || connection.requests != 1 || tls_of(connection) != nullptr) {
    return false;
  }
  std::string& kept = connection.incoming->pending;
  const std::string_view rest = kMethod.substr(kept.size());
  if (bytes.size() < rest.size() && rest.starts_with(bytes)) {
    kept.append(bytes);
    bytes = {};
    return true;
  }
  if (!bytes.starts_with(rest)) return false;
  const std::string begin = std::move(kept) + std::string(bytes);
  bytes = {};
  begin_http2(slot, begin);
  return true;
}

void Shard::begin_http2(Slot slot, std::string_view bytes) {
  Connection& connection = connections_[slot];
  connection.incoming.reset();
  connection.state = Connection::State::carrying;
  if (!connection.transport) connection.transport = std::make_unique<Transport>();
  Transport& transport = *connection.transport;
  http2::Limits limits;
  limits.request = options_.limits;
  limits.streams_max = options_.http2_streams_max;
  transport.owner = std::make_unique<Carrier>(*this, slot);
  transport.http2 = std::make_unique<http2::Session>(*transport.owner, limits);
  ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytesMax,
               sizeof kUnsentBytesMax);
  io::set_no_delay(connection.fd);
  await_streams(slot);
  take_frames(slot, bytes);
}

void Shard::take_frames(Slot slot, std::string_view bytes) {
  if (!bytes.empty()) connections_[slot].transport->http2->receive(bytes);
  flush_later(slot);
}

// A session without streams is kept as long as a connection without a request.
void Shard::await_streams(Slot slot) {
  Connection& connection = connections_[slot];
  connection.transport->idle_since = now_;
  if (std::exchange(connection.transport->awaited, true)) return;
  request_deadlines_.push_back(
      {now_ + options_.request_time, slot, connection.generation, connection.requests});
}

// Its deadline is over: it ends if it was without a stream all the time.
void Shard::expire_session(Slot slot) {
  Transport& transport = *connections_[slot].transport;
  transport.awaited = false;
  if (transport.streams > 0) return;  // the last of them begins anew
  if (now_ < transport.idle_since + options_.request_time) {
    const Instant since = transport.idle_since;
    await_streams(slot);
    transport.idle_since = since;
    return;
  }
  transport.http2->go_away();
  send(slot, transport.http2->output());
  end_session(slot);
}

void Shard::on_stream_request(Slot carrier, http2::StreamId stream,
                              const http1::RequestHead& head) {
  const std::optional<Slot> slot = has_room_for_stream() ? take_slot() : std::nullopt;
  if (!slot) {
    counters_.refused_full.fetch_add(1, std::memory_order_relaxed);
    return refuse_stream(carrier, stream, 503, "no room for another stream\n");
  }
  Connection& connection = connections_[*slot];
  connection.stream = stream;
  connection.carrier = carrier;
  connection.for_health = connections_[carrier].for_health;
  session_of(connection).set_tag(stream, *slot);
  ++connections_[carrier].transport->streams;
  counters_.streams.fetch_add(1, std::memory_order_relaxed);
  await_request(*slot);
  connection.incoming = std::make_unique<Incoming>(options_.limits);
  route(*slot, head);
}

// One that has no slot.
void Shard::refuse_stream(Slot carrier, http2::StreamId stream, int status, std::string_view text) {
  counters_.requests_refused.fetch_add(1, std::memory_order_relaxed);
  if (journal_) journal_->refused(status, peer_of(connections_[carrier]));
  const Response response{.status = status, .body = text};
  connections_[carrier].transport->http2->respond(stream, status, header_lines(response),
                                                  std::string(text));
}

http2::Session& Shard::session_of(const Connection& stream) {
  return *connections_[stream.carrier].transport->http2;
}

void Shard::respond_on_stream(Slot slot, const Response& response) {
  const Connection& connection = connections_[slot];
  const bool has_body = !response.head_only && response.status != 204;
  session_of(connection)
      .respond(connection.stream, response.status, header_lines(response),
               has_body ? std::string(response.body) : std::string());
  flush_later(connection.carrier);
  release(slot);  // the session sees to the rest
}

void Shard::flush_later(Slot carrier) {
  Transport& transport = *connections_[carrier].transport;
  if (transport.flush_due) return;
  transport.flush_due = true;
  flush_due_.push_back(carrier);
}

// Frames are about to be written into a session. A large batch in the one before leaves now, while
// the cache still holds it; its buffer then serves this one. A broadcast would otherwise fill a
// buffer for every session of the shard first.
void Shard::begin_frames(Slot carrier) {
  flush_later(carrier);
  const Slot before = std::exchange(last_carrier_, carrier);
  if (before == carrier || before >= connections_.size()) return;
  const Transport* const transport = connections_[before].transport.get();
  if (transport == nullptr || !transport->flush_due) return;
  const std::string_view output = transport->http2->output();
  if (output.size() >= kBatchBytes) transport->http2->sent(send(before, output));
}

// Once a turn: all frames of a session in one write.
void Shard::flush_sessions() {
  for (std::size_t i = 0; i < flush_due_.size(); ++i) flush_session(flush_due_[i]);
  flush_due_.clear();
}

void Shard::flush_session(Slot slot) {
  Transport* const transport = connections_[slot].transport.get();
  if (transport == nullptr || !transport->flush_due) return;  // closed since
  http2::Session& session = *transport->http2;
  // Streams that waited for room go on at once, but not for ever: others wait too.
  constexpr int kWritesPerTurn = 4;
  for (int i = 0; i < kWritesPerTurn; ++i) {
    session.settle();
    const std::string_view output = session.output();
    if (output.empty()) break;
    const std::size_t sent = send(slot, output);
    const bool full = sent < output.size();
    session.sent(sent);
    if (full) break;
  }
  transport->flush_due = false;
  want_write(slot);
  // Who broke the rules need not be waited for.
  if (session.is_over() && (session.is_broken() || !connections_[slot].wants_write)) {
    end_session(slot);
  }
}

// Its last words are out; the peer has a moment to read them.
void Shard::end_session(Slot slot) {
  Connection& connection = connections_[slot];
  if (connection.transport->http2->is_broken()) {
    counters_.sessions_broken.fetch_add(1, std::memory_order_relaxed);
  }
  release_streams(slot);
  if (io::TlsSession* const tls = tls_of(connection)) tls->say_goodbye();
  connection.transport.reset();
  ::shutdown(connection.fd, SHUT_WR);
  connection.state = Connection::State::lingering;
  closing_deadlines_.push_back({now_ + kClosingTime, slot, connection.generation, 0});
}

void Shard::release_streams(Slot carrier) {
  for (const http2::Tag tag : connections_[carrier].transport->http2->tags()) release(tag);
}

}  // namespace rt::server
