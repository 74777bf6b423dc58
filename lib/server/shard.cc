#include "server/shard.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "io/descriptors.h"
#include "server/gzip_frames.h"
#include "server/run_go_frames.h"

namespace rt::server {

Shard::Shard(Options options, const Clock& clock, Link& link, io::Wakeup& hub, Counters& counters,
             Drain& drain)
    : options_(std::move(options)),
      clock_(clock),
      link_(link),
      hub_(hub),
      counters_(counters),
      drain_(drain),
      tls_(*options_.tls) {
  if (options_.access != nullptr) journal_.emplace(*options_.access, clock_);
  for (const ServedEndpoint& served : options_.endpoints) {
    rules_[static_cast<std::size_t>(served.surface)] = &served.endpoint->stream_rules();
  }
}

void Shard::run(const std::stop_token& stop, const std::function<void(Result<void>)>& started) {
  Result<void> opened = open();
  const bool good = opened.has_value();
  started(std::move(opened));
  if (good) loop(stop);
  if (journal_) journal_->shut();
  // Their numbers mean something else in every other thread's table: close them in this one.
  connections_.clear();
  listener_.close();
  health_listener_.close();
  poller_.reset();
  link_.gone = true;
}

Result<void> Shard::open() {
  const int access = options_.access != nullptr ? options_.access->wakeup_fd() : hub_.fd();
  const int inherited = options_.inherited >= 0 ? options_.inherited : hub_.fd();
  const std::array<int, 4> keep{link_.shard_wakeup.fd(), hub_.fd(), access, inherited};
  RT_CHECKED(io::own_descriptor_table(keep));
  poller_ = RT_TRY(io::Poller::create());
  RT_CHECKED(open_listener());
  if (options_.health_at) {
    health_listener_ = RT_TRY(io::listen_on(*options_.health_at, {.share_port = true}));
    RT_CHECKED(poller_->watch(health_listener_.get(), kHealthToken, io::Interest::read));
  }
  RT_CHECKED(poller_->watch(link_.shard_wakeup.fd(), kWakeupToken, io::Interest::read));
  connections_.reserve(slots_max());
  return {};
}

void Shard::loop(const std::stop_token& stop) {
  std::array<io::Ready, io::Poller::kBatchMax> ready;
  now_ = clock_.now();
  next_tick_ = now_ + kTick;
  while (!stop.stop_requested()) {
    // A shard without connections sleeps until one comes.
    const bool is_awake = open_count_ > 0 || !waiting_for_hub_.empty() || phase_ != Phase::serving;
    const Instant due =
        phase_ == Phase::serving ? next_tick_ : std::min(next_tick_, drain_.deadline());
    const auto deadline = is_awake ? std::optional<Instant>(due) : std::nullopt;
    const std::size_t count = poller_->wait(ready, deadline, now_);
    now_ = clock_.now();
    for (std::size_t i = 0; i < count; ++i) on_ready(ready[i]);
    take_messages();
    flush_to_hub();
    if (drain_.has_begun() && drain()) break;
    if (now_ >= next_tick_) tick();
    flush_sessions();
  }
  close_all();
}

void Shard::on_ready(const io::Ready& ready) {
  if (ready.token == kWakeupToken) {
    link_.shard_wakeup.answer();
    return;
  }
  if (ready.token == kListenerToken) {
    accept_some(listener_, /*for_health=*/false);
    return;
  }
  if (ready.token == kHealthToken) {
    accept_some(health_listener_, /*for_health=*/true);
    return;
  }
  const auto slot = static_cast<Slot>(ready.token);
  const auto generation = static_cast<std::uint32_t>(ready.token >> 32);
  if (slot >= connections_.size() || connections_[slot].generation != generation) return;
  if (ready.writable) on_writable(slot);
  if (ready.readable && connections_[slot].generation == generation) on_readable(slot);
}

void Shard::tick() {
  next_tick_ = now_ + kTick;
  ++ticks_;
  if (is_paused_ && !leaves_to_others()) resume_listening();
  send_keepalives(
      Surface::runs, options_.keepalive_every,
      options_.keepalive_as_event ? "event: keepalive\ndata: {}\n\n" : ": keepalive\n\n");
  for (std::size_t surface = 0; surface < kSurfaceCount; ++surface) {
    const StreamRules* const rules = rules_[surface];
    if (rules == nullptr || !rules->keepalive) continue;
    send_keepalives(static_cast<Surface>(surface), rules->keepalive_every,
                    rules->keepalive(clock_.wall()));
  }
  expire_deadlines();
  end_expired();
}

// Every tick serves one share of the slots, so that each connection gets one keepalive per interval
// and all of them together are spread evenly over it.
void Shard::send_keepalives(Surface surface, Duration every, const std::string& frame) {
  const auto ticks = static_cast<std::uint32_t>(std::max<std::int64_t>(1, every / kTick));
  for (Slot slot = ticks_ % ticks; slot < connections_.size(); slot += ticks) {
    Connection& connection = connections_[slot];
    if (connection.state != Connection::State::live || connection.backlog) continue;
    if (connection.surface != surface) continue;
    write_text(slot, connection.gzip ? gzip_blocks(frame) : frame);
  }
}

// False: there are no more now.
bool Shard::accept_some(const Fd& listener, bool for_health) {
  constexpr int kAcceptsPerTurn = 64;
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    if (!for_health && leaves_to_others()) {
      pause_listening();
      return false;
    }
    Fd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return false;
    }
    counters_.accepted.fetch_add(1, std::memory_order_relaxed);
    const std::size_t sockets_max =
        options_.connections_max + (for_health ? kHealthConnectionsMax : 0);
    const auto slot = socket_count_ < sockets_max ? take_slot() : std::nullopt;
    // Who looks after the server asks its health in the clear.
    const std::shared_ptr<const io::TlsContext> tls = for_health ? nullptr : tls_.look();
    if (!slot) {
      counters_.refused_full.fetch_add(1, std::memory_order_relaxed);
      if (tls == nullptr) refuse_full(fd);
      if (journal_) journal_->refused(options_.compat_go ? 429 : 503, {fd.get(), tls != nullptr});
      continue;
    }
    Connection& connection = connections_[*slot];
    if (!poller_->watch(fd.get(), token(*slot), io::Interest::read)) {
      release(*slot);
      continue;
    }
    connection.fd = fd.release();
    connection.for_health = for_health;
    if (tls != nullptr) {
      connection.transport = std::make_unique<Transport>();
      connection.transport->tls = std::make_unique<io::TlsSession>(*tls, connection.fd);
    }
    ++socket_count_;
    counters_.connections.fetch_add(1, std::memory_order_relaxed);
    await_request(*slot);
    on_readable(*slot);  // the request is often there already
  }
  return true;
}

void Shard::refuse_full(const Fd& fd) const {
  constexpr std::string_view kNoRoom = "no room for another connection\n";
  const std::string full = render({.status = options_.compat_go ? 429 : 503,
                                   .body = options_.compat_go ? kGoTooMany : kNoRoom,
                                   .extra_headers = "Retry-After: 5\r\n",
                                   .keep_alive = false});
  ::send(fd.get(), full.data(), full.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Nothing: all are taken.
std::optional<Shard::Slot> Shard::take_slot() {
  Slot slot = static_cast<Slot>(connections_.size());
  if (!free_slots_.empty()) {
    slot = free_slots_.back();
    free_slots_.pop_back();
  } else if (connections_.size() < slots_max()) {
    connections_.emplace_back();
  } else {
    return std::nullopt;
  }
  ++open_count_;
  connections_[slot].state = Connection::State::reading;
  return slot;
}

void Shard::unsubscribe(Slot slot) {
  Connection& connection = connections_[slot];
  if (!connection.is_subscribed()) return;
  counters_.subscribers.fetch_sub(1, std::memory_order_relaxed);
  index_.remove(connection.chain, [&](std::uint64_t key) {
    ToHub message;
    message.kind = ToHub::Kind::forget_key;
    message.key = key;
    tell_hub(std::move(message));
  });
  if (connection.surface != Surface::runs) {
    ToHub message;
    message.kind = ToHub::Kind::part;
    message.connection = id_of(slot);
    message.surface = connection.surface;
    message.target = connection.target;
    message.gzip = connection.gzip;
    return tell_hub(std::move(message));
  }
  if (connection.state == Connection::State::live) return;
  ToHub message;
  message.kind = ToHub::Kind::leave;
  message.connection = id_of(slot);
  tell_hub(std::move(message));
}

void Shard::close(Slot slot) {
  Connection& connection = connections_[slot];
  if (connection.state == Connection::State::free) return;
  if (connection.stream != 0) {
    session_of(connection).reset(connection.stream);
    flush_later(connection.carrier);
    return release(slot);
  }
  if (connection.transport && connection.transport->http2) release_streams(slot);
  ::close(connection.fd);
  --socket_count_;
  counters_.connections.fetch_sub(1, std::memory_order_relaxed);
  release(slot);
}

// The slot is free for another; socket or stream have been seen to.
void Shard::release(Slot slot) {
  unsubscribe(slot);
  if (journal_) journal_->gone(slot);
  Connection& connection = connections_[slot];
  if (connection.stream != 0) {
    counters_.streams.fetch_sub(1, std::memory_order_relaxed);
    if (--connections_[connection.carrier].transport->streams == 0) {
      await_streams(connection.carrier);
    }
  }
  const std::uint32_t generation = connection.generation + 1;
  connection = Connection{};
  connection.generation = generation;
  free_slots_.push_back(slot);
  --open_count_;
}

// What is queued goes out, then our side is shut, and the peer has a moment to read it: closing at
// once would reset the connection and could take the last bytes with it.
void Shard::end_after_output(Slot slot) {
  unsubscribe(slot);
  Connection& connection = connections_[slot];
  connection.state = Connection::State::closing;
  Instant at = now_ + kClosingTime;
  if (phase_ == Phase::finishing) at = std::max(at, drain_.deadline());
  closing_deadlines_.push_back({at, slot, connection.generation, 0});
  if (!connection.backlog) output_drained(slot);
}

void Shard::expire_deadlines() {
  while (!request_deadlines_.empty() && request_deadlines_.front().at <= now_) {
    const Deadline due = request_deadlines_.front();
    request_deadlines_.pop_front();
    const Connection& connection = connections_[due.slot];
    if (connection.generation != due.generation || connection.requests != due.request) continue;
    if (connection.state == Connection::State::carrying) {
      expire_session(due.slot);
      continue;
    }
    if (connection.state != Connection::State::reading &&
        connection.state != Connection::State::body) {
      continue;
    }
    if (connection.incoming == nullptr) {
      close(due.slot);  // idle between requests
    } else {
      refuse(due.slot, 408, "the request was not complete in time\n");
    }
  }
  while (!closing_deadlines_.empty() && closing_deadlines_.front().at <= now_) {
    const Deadline due = closing_deadlines_.front();
    closing_deadlines_.pop_front();
    if (connections_[due.slot].generation == due.generation) close(due.slot);
  }
}

AccessJournal::Peer Shard::peer_of(const Connection& connection) const {
  const Connection& socket = connection.stream != 0 ? connections_[connection.carrier] : connection;
  return {socket.fd, tls_of(socket) != nullptr};
}

void Shard::tell_hub(ToHub&& message) {
  hub_has_mail_ = true;
  if (waiting_for_hub_.empty() && link_.to_hub.push(std::move(message))) return;
  waiting_for_hub_.push_back(std::move(message));
}

void Shard::flush_to_hub() {
  while (!waiting_for_hub_.empty() && link_.to_hub.push(std::move(waiting_for_hub_.front()))) {
    waiting_for_hub_.pop_front();
    hub_has_mail_ = true;
  }
  if (hub_has_mail_) hub_.ring();
  hub_has_mail_ = false;
}

}  // namespace rt::server
