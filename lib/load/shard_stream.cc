// The part of a shard that speaks with sockets: connecting, reading, losing, coming back.
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/position.h"
#include "base/random.h"
#include "io/arrival.h"
#include "load/shard_events.h"

namespace rt {
namespace {

// An answer that will not change by asking again (a request timeout, too many requests and what the
// server calls its own fault may).
bool is_final(ConnectFailure failure, int status) {
  switch (failure) {
    case ConnectFailure::status:
      return status < 500 && status != 408 && status != 429;
    case ConnectFailure::content_type:
    case ConnectFailure::protocol:
    case ConnectFailure::tls:
      return true;
    default:
      return false;
  }
}

std::int64_t ns_of(Instant t) {
  return t.time_since_epoch().count();
}

std::int64_t us_between(Instant from, Instant to) {
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
}

std::uint64_t token_of(std::size_t slot, std::uint32_t generation) {
  return static_cast<std::uint64_t>(generation) << 32 | slot;
}

}  // namespace

ConnectFailure failure_of(int os_errno) {
  switch (os_errno) {
    case EMFILE:
    case ENFILE:
      return ConnectFailure::descriptors;
    case EADDRNOTAVAIL:
    case EADDRINUSE:
      return ConnectFailure::ports;
    case ENOMEM:
    case ENOBUFS:
      return ConnectFailure::memory;
    case EACCES:
    case EPERM:
      return ConnectFailure::permission;
    case ENETUNREACH:
    case EHOSTUNREACH:
      return ConnectFailure::unreachable;
    case ECONNRESET:
    case EPIPE:
      return ConnectFailure::reset;
    case ETIMEDOUT:
      return ConnectFailure::timed_out;
    default:
      return ConnectFailure::refused;
  }
}

ConnectFailure failure_named_in(std::string_view why) {
  const auto says = [&](const char* name) { return why.find(name) != std::string_view::npos; };
  return says("EMFILE") || says("ENFILE")              ? ConnectFailure::descriptors
         : says("EADDRNOTAVAIL") || says("EADDRINUSE") ? ConnectFailure::ports
         : says("ENOMEM") || says("ENOBUFS")           ? ConnectFailure::memory
         : says("EACCES") || says("EPERM")             ? ConnectFailure::permission
         : says("ENETUNREACH") || says("EHOSTUNREACH") ? ConnectFailure::unreachable
                                                       : ConnectFailure::refused;
}

void Shard::Events::on_open() {
  --shard.pending_count_;
  ++shard.held_;
  slot.pending = false;
  slot.was_held = true;
  slot.attempts = 0;
  slot.absent = false;
  slot.heard_ms = 0;
  const bool asks_for_state = slot.claims_else || slot.stream.last_event_id().empty();
  slot.awaits_state = shard.plan_.first_is_state && asks_for_state;
  shard.behave(number, now);
  if (slot.resuming) {
    ++shard.counts_.resume.resumed;
    shard.counts_.resume.latency.record(us_between(slot.began, now));
    slot.began = now;
    slot.resumed_now = true;
    if (slot.claims_else) shard.expect_answer(number);
    return;
  }
  shard.counts_.connect.record(us_between(slot.began, now));
  const Baseline baseline = shard.plan_.sends_state ? Baseline::state
                            : shard.publishing_     ? Baseline::first
                                                    : Baseline::nothing;
  shard.open_ledger(number, baseline, now);
}

void Shard::Events::on_event(const sse::EventView& event) {
  IntegrityCounts& counts = shard.counts_.integrity;
  ++counts.parsed;
  heard();
  if (!slot.had_event) {
    slot.had_event = true;
    if (!slot.resuming) shard.counts_.first_event.record(us_between(slot.began, now));
  }
  std::string_view rest;
  std::optional<Payload> payload = find_payload(event.data, &rest);
  if (counts.corrupt) check_content(payload, event.data, rest);
  if (payload && (payload->run != shard.plan_.run || payload->phase >= shard.plan_.phases)) {
    payload.reset();
  }
  const bool first = slot.awaits_state;
  slot.awaits_state = false;
  const auto place = payload ? shard.place_of(number, *payload) : std::nullopt;
  const bool is_state =
      shard.plan_.sends_state && (shard.plan_.first_is_state ? first : event.event == "initial");
  if (is_state && (!payload || place)) {
    on_state(payload);
  } else if (place && payload->sequence != 0) {
    const std::uint64_t duplicates = counts.duplicate;
    on_delivery(*payload, *place, event.id);
    const bool from_before = slot.resuming && payload->intended_ns < ns_of(slot.began);
    if (counts.duplicate != duplicates && from_before) ++counts.resent;
  } else {
    ++counts.foreign;
    if (payload && payload->sequence != 0) count_unasked(*payload);
  }
}

void Shard::Events::heard() {
  const auto at_ms = static_cast<std::uint32_t>(us_between(shard.began_, now) / 1'000 + 1);
  if (slot.heard_ms != 0 && shard.measuring_) {
    shard.counts_.heartbeat_gap.record(std::int64_t{at_ms - slot.heard_ms} * 1'000);
  }
  slot.heard_ms = at_ms;
}

void Shard::Events::on_state(const std::optional<Payload>& payload) {
  ++shard.counts_.integrity.initial;
  if (!payload) return;
  if (slot.claims_else && slot.resumed_now) begin_anew();
  const std::uint32_t skipped = shard.ledger_.state(number, payload->sequence);
  if (skipped != 0) ++shard.counts_.resume.gaps_signalled;
  slot.resumed_now = false;
}

void Shard::Events::on_delivery(const Payload& payload, std::uint32_t place, std::string_view id) {
  IntegrityCounts& counts = shard.counts_.integrity;
  const std::size_t entry = shard.entry_of(number, place);
  const Ledger::Verdict verdict = shard.ledger_.deliver(entry, payload.sequence);
  const bool repeat = slot.claims_else && is_repeat(verdict, payload.sequence);
  if (slot.resumed_now) {
    slot.resumed_now = false;
    const bool gap = verdict.skipped != 0 && shard.plan_.is_judged(slot.cohort);
    if (gap) ++shard.counts_.resume.gaps_silent;
  }
  if (verdict.arrived == Arrived::duplicate) {
    if (repeat) {
      ++counts.repeated;
    } else if (counts.duplicate++ == 0) {
      counts.first_duplicate = shard.offender(number, place, payload.sequence);
    }
    return;
  }
  if (verdict.arrived == Arrived::reorder && !repeat && counts.reorder++ == 0) {
    counts.first_reorder = shard.offender(number, place, payload.sequence);
  }
  std::size_t bucket = shard.plan_.bucket_of(slot.cohort, payload.phase);
  ++counts.received;
  ++shard.received_;
  ++shard.counts_.received[bucket];
  if (slot.resuming && payload.intended_ns < ns_of(slot.began)) {
    ++shard.counts_.resume.replayed;
    ++shard.counts_.replayed[bucket];
    bucket = shard.plan_.replay_bucket();
  }
  const std::optional<Position> position = Position::parse(id);
  if (position) shard.recent_.saw(*position);
  shard.deliver(
      {position ? position->lsn : 0, ns_of(now), payload.intended_ns, stamp_unix_ns,
       static_cast<std::uint32_t>(bucket),
       static_cast<std::uint32_t>(shard.number_of(number) * shard.plan_.topics_each + place),
       payload.sequence});
}

const io::Address* Shard::source_of(std::size_t slot) const {
  if (plan_.sources.empty()) return nullptr;
  // Of a carrier, whose slots come together: one after another all the same.
  const std::uint64_t turn = number_of(slot / plan_.streams);
  return &plan_.sources[turn % plan_.sources.size()];
}

void Shard::connect(std::size_t number, Instant now) {
  Slot& slot = connections_[number];
  slot.was_tried = true;
  slot.pending = true;
  ++pending_count_;
  ++slot.generation;
  if (slot.resuming) {
    ++counts_.resume.attempts;
  } else {
    slot.began = now;
  }
  if (!carriers_.empty()) {
    slot.stream.restart();
    pending_.push_back({now, token_of(number, slot.generation)});
    return board(number);
  }
  Result<Fd> socket = io::connect_to(plan_.address, source_of(number), plan_.ports);
  if (!socket) {
    const std::string& why = socket.error().text;
    lost(number, failure_named_in(why), why);
    return;
  }
  slot.socket = std::move(*socket);
  io::stamp_arrivals(slot.socket.get());
  slot.stream.restart();
  set_receive_buffer(number, slot.socket.get());
  slot.connecting = true;
  pending_.push_back({now, token_of(number, slot.generation)});
  send_request(number);
}

// Over loopback a connection stands as soon as connect() returns, so the request is tried at once;
// elsewhere the kernel says "not yet", and the poller says when.
void Shard::send_request(std::size_t number) {
  Slot& slot = connections_[number];
  request_.clear();
  write_request(request_, number);
  const bool first_try = !slot.watched;
  const ssize_t sent = ::send(slot.socket.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
  const int error = sent < 0 ? errno : 0;
  const bool wait = error == EAGAIN || error == EINTR;
  if (sent < 0 && !wait) {
    lost(number, failure_of(error), os_error("cannot connect", error).text);
    return;
  }
  if (sent >= 0 && static_cast<std::size_t>(sent) != request_.size()) {
    // A new socket's buffer takes at least 4 KiB; a request beyond that is not one of ours.
    lost(number, ConnectFailure::protocol, "the request does not fit an empty socket buffer");
    return;
  }
  slot.connecting = wait;
  const io::Interest interest = wait ? io::Interest::read_write : io::Interest::read;
  const std::uint64_t token = token_of(number, slot.generation);
  const Result<void> watched = first_try ? poller_->watch(slot.socket.get(), token, interest)
                                         : poller_->change(slot.socket.get(), token, interest);
  slot.watched = true;
  if (!watched) lost(number, ConnectFailure::memory, watched.error().text);
}

void Shard::ready(std::size_t number, const io::Ready& ready) {
  if (connections_[number].connecting) {
    if (!ready.writable) return;
    if (const int error = io::connect_error(connections_[number].socket.get()); error != 0) {
      lost(number, failure_of(error), os_error("cannot connect", error).text);
      return;
    }
    send_request(number);
    return;
  }
  if (ready.readable) read(number);
}

void Shard::read(std::size_t number) {
  Slot& slot = connections_[number];
  // Level-triggered: what is left is reported again, so that one fast stream cannot starve the
  // rest.
  if (waits_before_reading(number, clock_.now())) return;
  const io::Arrival got = io::receive(slot.socket.get(), buffer_.get(), read_limit(slot));
  if (got.error == EAGAIN || got.error == EINTR) return;
  if (got.bytes < 0) {
    lost(number, failure_of(got.error), os_error("lost the stream", got.error).text);
    return;
  }
  if (got.bytes == 0) {
    lost(number, ConnectFailure::closed, "the server closed the connection");
    return;
  }
  Events events{*this, number, slot, clock_.now(), got.stamp_unix_ns};
  const std::string_view bytes(buffer_.get(), static_cast<std::size_t>(got.bytes));
  const std::uint32_t generation = slot.generation;
  take_progress(number, slot.stream.receive(bytes, events));
  if (slot.cohort != 0 && slot.generation == generation)
    after_read(number, bytes.size(), events.now);
}

void Shard::take_progress(std::size_t number, StreamConnection::Progress progress) {
  Slot& slot = connections_[number];
  switch (progress) {
    case StreamConnection::Progress::more:
      return;
    case StreamConnection::Progress::ended:
      lost(number, ConnectFailure::closed, "the server ended the stream");
      return;
    case StreamConnection::Progress::status:
      lost(number, ConnectFailure::status, fmt::format("answered {}", slot.stream.status()));
      return;
    case StreamConnection::Progress::wrong_type:
      lost(number, ConnectFailure::content_type,
           "answered 200 with a content type other than text/event-stream");
      return;
    case StreamConnection::Progress::malformed:
      if (slot.stream.is_streaming()) ++counts_.integrity.stream_errors;
      lost(number, ConnectFailure::protocol, "sent bytes that are not an HTTP event stream");
      return;
  }
}

void Shard::lost(std::size_t number, ConnectFailure failure, std::string_view why) {
  Slot& slot = connections_[number];
  const Instant now = clock_.now();
  const int status = slot.stream.status();
  if (slot.pending) --pending_count_;
  slot.pending = false;
  slot.connecting = false;
  if (slot.stream.is_streaming()) {
    --held_;
    slot.resuming = true;
    slot.began = now;
    ++counts_.resume.losses;
  }
  close(slot);
  if (!slot.was_held) {
    slot.has_failed = true;
    slot.failure = failure;
  }
  if (counts_.connections.first_failure.empty()) {
    counts_.connections.first_failure =
        fmt::format("connection {} to {}: {}", number_of(number), plan_.address.text(), why);
  }
  if (is_final(failure, status) || !plan_.reconnect.enabled) {
    slot.gave_up = true;
    ++gave_up_;
    return;
  }
  schedule_retry(number, now);
}

// Exponential back-off with jitter; a function of (seed, connection, attempt) only.
void Shard::schedule_retry(std::size_t number, Instant now) {
  Slot& slot = connections_[number];
  const ReconnectSpec& spec = plan_.reconnect;
  Duration delay = spec.base;
  if (spec.honour_retry && slot.retry_ms != 0) delay = std::chrono::milliseconds(slot.retry_ms);
  delay *= std::int64_t{1} << std::min<unsigned>(slot.attempts, 16);
  delay = std::min(delay, std::max(spec.max, spec.base));
  if (slot.attempts != 0xFFFF) ++slot.attempts;
  const std::uint64_t chance = plan_.number_in_run(number_of(number)) * 65'536 + slot.attempts;
  const double share = Random::of(plan_.seed, "reconnect", chance).unit();
  const double kept = 1.0 - spec.jitter * share;
  delay = Duration(static_cast<std::int64_t>(static_cast<double>(delay.count()) * kept));
  retry_at(number, now + delay);
}

void Shard::retry_at(std::size_t number, Instant at) {
  retries_.push({at, static_cast<std::uint32_t>(number), connections_[number].generation});
}

void Shard::expire(Instant now) {
  while (!pending_.empty()) {
    const Pending& oldest = pending_.front();
    const auto number = static_cast<std::size_t>(oldest.token & 0xFFFFFFFFU);
    Slot& slot = connections_[number];
    const bool open = slot.pending && token_of(number, slot.generation) == oldest.token;
    if (open && now - oldest.since < kConnectTimeout) return;
    pending_.pop_front();
    if (open) lost(number, ConnectFailure::timed_out, "no answer in 30 s");
  }
}

void Shard::close(Slot& slot) {
  if (!carriers_.empty()) alight(static_cast<std::size_t>(&slot - connections_.data()));
  slot.socket.close();
  slot.watched = false;
  slot.holds_back = false;
  slot.takes_now = false;
  slot.stream.stop();
}

}  // namespace rt
