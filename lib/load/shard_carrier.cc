// The part of a shard that speaks HTTP/2 and TLS: subscribers that ride on carriers.
#include "load/shard_carrier.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "io/arrival.h"
#include "load/shard_events.h"

namespace rt {

std::uint64_t Shard::carrier_token(const Carrier& carrier) {
  return static_cast<std::uint64_t>(carrier.generation) << 32 | kCarrierBit | carrier.number;
}

// A subscriber's turn has come: its carrier is connected if it is not, and asked if it is.
void Shard::board(std::size_t slot) {
  Carrier& carrier = *carriers_[slot / plan_.streams];
  if (carrier.state == Carrier::State::open) return ask(carrier, slot);
  if (carrier.state == Carrier::State::closed) connect(carrier);
}

void Shard::connect(Carrier& carrier) {
  Result<Fd> socket = io::connect_to(plan_.address, source_of(carrier.first_slot()), plan_.ports);
  if (!socket) return lose(carrier, failure_named_in(socket.error().text), socket.error().text);
  ++carrier.generation;
  carrier.socket = std::move(*socket);
  io::stamp_arrivals(carrier.socket.get());
  if (plan_.streams == 1) set_receive_buffer(carrier.first_slot(), carrier.socket.get());
  carrier.state = Carrier::State::connecting;
  carrier.wants_write = true;
  if (!poller_->watch(carrier.socket.get(), carrier_token(carrier), io::Interest::read_write)) {
    lose(carrier, ConnectFailure::memory, "cannot watch a descriptor");
  }
}

void Shard::carrier_ready(std::size_t number, std::uint32_t generation, const io::Ready& ready) {
  Carrier& carrier = *carriers_[number];
  if (carrier.generation != generation || carrier.state == Carrier::State::closed) return;
  if (carrier.state == Carrier::State::connecting) {
    if (!ready.writable) return;
    if (const int error = io::connect_error(carrier.socket.get()); error != 0) {
      return lose(carrier, failure_of(error), os_error("cannot connect", error).text);
    }
    if (plan_.tls == nullptr) {
      begin(carrier, plan_.http2);
    } else {
      carrier.state = Carrier::State::shaking_hands;
      carrier.now = clock_.now();
      carrier.tls =
          std::make_unique<io::TlsSession>(*plan_.tls, carrier.socket.get(), plan_.target.host);
    }
  }
  if (carrier.state == Carrier::State::shaking_hands && !shake_hands(carrier)) return;
  if (ready.readable) read(carrier);
  if (carrier.generation == generation && carrier.state == Carrier::State::open) flush(carrier);
}

// True once it is done, and the stream can begin.
bool Shard::shake_hands(Carrier& carrier) {
  switch (carrier.tls->shake_hands()) {
    case io::TlsSession::State::waits:
      await(carrier);
      return false;
    case io::TlsSession::State::ready:
      counts_.tls.record(
          std::chrono::duration_cast<std::chrono::microseconds>(clock_.now() - carrier.now)
              .count());
      break;
    default:
      lose(carrier, carrier.tls->is_lost() ? ConnectFailure::reset : ConnectFailure::tls,
           "TLS handshake: " + carrier.tls->error());
      return false;
  }
  const bool http2 = carrier.tls->protocol() == "h2";
  if (!http2 && plan_.streams > 1) {
    lose(carrier, ConnectFailure::protocol, "the server does not speak HTTP/2");
    return false;
  }
  begin(carrier, http2);
  return true;
}

void Shard::begin(Carrier& carrier, bool http2) {
  carrier.state = Carrier::State::open;
  carrier.streams.assign(plan_.streams, 0);
  if (http2) carrier.http2 = std::make_unique<http2::ClientSession>(carrier);
  const std::size_t end = std::min(carrier.first_slot() + plan_.streams, slots_);
  for (std::size_t slot = carrier.first_slot(); slot < end; ++slot) {
    if (connections_[slot].pending) ask(carrier, slot);
  }
  flush_later(carrier);
}

void Shard::ask(Carrier& carrier, std::size_t slot) {
  if (!carrier.http2) {
    carrier.unsent.clear();
    write_request(carrier.unsent, slot);
    return flush_later(carrier);
  }
  const std::uint64_t connection = number_of(slot);
  request_.clear();
  plan_.target.append_path(request_, topics_text(slot), plan_.run_filter);
  std::vector<http2::ClientSession::Field> fields = {{":method", "GET"},
                                                     {":scheme", plan_.tls ? "https" : "http"},
                                                     {":authority", plan_.target.authority},
                                                     {":path", request_},
                                                     {"accept", "text/event-stream"},
                                                     {"cache-control", "no-cache"}};
  if (plan_.gzip) fields.emplace_back("accept-encoding", "gzip");
  const std::string_view last_id = claim_id(connections_[slot]);
  if (!last_id.empty()) fields.emplace_back("last-event-id", last_id);
  std::vector<std::string> values(plan_.headers.count());
  for (std::size_t i = 0; i < values.size(); ++i) {
    plan_.headers.append_value(values[i], i, plan_.number_in_run(connection));
    fields.emplace_back(plan_.headers.name(i), values[i]);
  }
  const http2::StreamId stream = carrier.http2->request(static_cast<http2::Tag>(slot), fields);
  if (stream == 0)
    return lost(slot, ConnectFailure::closed, "the connection takes no more streams");
  carrier.stream_of(slot) = stream;
  flush_later(carrier);
}

// Frames of many streams leave in one write, at the end of a turn.
void Shard::flush_later(Carrier& carrier) {
  if (carrier.flushing) return;
  carrier.flushing = true;
  flush_due_.push_back(carrier.number);
}

void Shard::flush_carriers() {
  for (const std::size_t number : std::exchange(flush_due_, {})) {
    Carrier& carrier = *carriers_[number];
    carrier.flushing = false;
    if (carrier.state == Carrier::State::open) flush(carrier);
  }
}

void Shard::flush(Carrier& carrier) {
  if (carrier.http2) carrier.http2->pump();
  if (carrier.http2 && carrier.http2->has_news()) {
    const std::uint32_t generation = carrier.generation;
    take(carrier, {});
    if (carrier.generation != generation) return;
  }
  for (;;) {
    const std::string_view bytes =
        carrier.http2 ? carrier.http2->output() : std::string_view(carrier.unsent);
    if (bytes.empty()) break;
    std::size_t sent = 0;
    if (carrier.tls) {
      const io::TlsSession::Moved moved = carrier.tls->write(bytes);
      if (moved.state == io::TlsSession::State::failed) {
        return lose(carrier, ConnectFailure::reset,
                    "the connection broke: " + carrier.tls->error());
      }
      sent = moved.bytes;
    } else {
      const ssize_t taken =
          ::send(carrier.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      sent = taken < 0 ? 0 : static_cast<std::size_t>(taken);  // an error shows when it is read
    }
    if (sent == 0) break;
    if (carrier.http2) {
      carrier.http2->sent(sent);
    } else {
      carrier.unsent.erase(0, sent);
    }
  }
  await(carrier);
}

// What the poller is asked for follows from what is left to send.
void Shard::await(Carrier& carrier) {
  if (holds_back(carrier)) return;  // asked for nothing, until it reads on
  const bool left = (carrier.http2 && !carrier.http2->output().empty()) ||
                    !carrier.unsent.empty() || (carrier.tls && carrier.tls->wants_write());
  if (left == carrier.wants_write) return;
  carrier.wants_write = left;
  const io::Interest interest = left ? io::Interest::read_write : io::Interest::read;
  if (!poller_->change(carrier.socket.get(), carrier_token(carrier), interest)) {
    lose(carrier, ConnectFailure::memory, "cannot watch a descriptor");
  }
}

bool Shard::holds_back(const Carrier& carrier) const {
  return plan_.streams == 1 && connections_[carrier.first_slot()].holds_back;
}

int Shard::socket_of(std::size_t number) const {
  return carriers_.empty() ? connections_[number].socket.get() : carriers_[number]->socket.get();
}

// What is decrypted already does not make the socket readable: it is read at once.
void Shard::read_on(Carrier& carrier) {
  const io::Interest interest = carrier.wants_write ? io::Interest::read_write : io::Interest::read;
  if (!poller_->watch(carrier.socket.get(), carrier_token(carrier), interest)) {
    return lose(carrier, ConnectFailure::memory, "cannot watch a descriptor");
  }
  const std::uint32_t generation = carrier.generation;
  read(carrier);
  if (carrier.generation == generation && carrier.state == Carrier::State::open) flush(carrier);
}

void Shard::read(Carrier& carrier) {
  if (plan_.streams > 1) {
    read_all(carrier, kReadBytes);
    return;
  }
  const std::size_t slot = carrier.first_slot();
  if (waits_before_reading(slot, clock_.now())) return;
  const std::uint32_t generation = carrier.generation;
  const std::size_t limit = read_limit(connections_[slot]);
  const std::size_t bytes = read_all(carrier, limit);
  if (connections_[slot].cohort == 0 || carrier.generation != generation) return;
  after_read(slot, bytes, clock_.now());
}

// Returns how much it was.
std::size_t Shard::read_all(Carrier& carrier, std::size_t limit) {
  const std::uint32_t generation = carrier.generation;
  const auto end = [&](ConnectFailure failure, const std::string& why) {
    lose(carrier, failure, why);
    return std::size_t{0};
  };
  std::size_t sum = 0;
  // Level-triggered, so that a plain socket is read once a turn; what stands in a record of TLS
  // does not make the socket readable again, so that such a one is read to its end, but by who
  // reads slowly, who comes back for it.
  for (bool more = true; more && carrier.generation == generation;) {
    std::size_t bytes = 0;
    if (carrier.tls) {
      const io::TlsSession::Moved moved = carrier.tls->read(buffer_.get(), limit);
      bytes = moved.bytes;
      carrier.stamp_unix_ns = carrier.tls->stamp_unix_ns();
      if (moved.state == io::TlsSession::State::waits) {
        await(carrier);
        return sum;
      }
      if (moved.state != io::TlsSession::State::ready) {
        return end(ConnectFailure::closed, "the server closed the connection");
      }
      more = limit == kReadBytes || !connections_[carrier.first_slot()].stream.is_streaming();
    } else {
      more = false;
      const io::Arrival got = io::receive(carrier.socket.get(), buffer_.get(), limit);
      if (got.error == EAGAIN || got.error == EINTR) return sum;
      if (got.bytes < 0) {
        return end(failure_of(got.error), os_error("lost the stream", got.error).text);
      }
      if (got.bytes == 0) return end(ConnectFailure::closed, "the server closed the connection");
      bytes = static_cast<std::size_t>(got.bytes);
      carrier.stamp_unix_ns = got.stamp_unix_ns;
    }
    sum += bytes;
    take(carrier, {buffer_.get(), bytes});
  }
  return sum;
}

void Shard::take(Carrier& carrier, std::string_view bytes) {
  carrier.now = clock_.now();
  if (carrier.http2) {
    if (!carrier.http2->receive(bytes)) {
      lose(carrier, ConnectFailure::protocol, "the HTTP/2 connection ended");
    }
    return;
  }
  const std::size_t slot = carrier.first_slot();
  Events events{*this, slot, connections_[slot], carrier.now, carrier.stamp_unix_ns};
  take_progress(slot, connections_[slot].stream.receive(bytes, events));
}

void Shard::Carrier::on_answer(http2::Tag slot, const http2::ClientSession::Answer& answer) {
  Slot& subscriber = shard.connections_[slot];
  const ContentCoding coding = answer.is_gzip                ? ContentCoding::gzip
                               : answer.is_encoded_otherwise ? ContentCoding::unknown
                                                             : ContentCoding::identity;
  const StreamConnection::Progress progress =
      subscriber.stream.accept({answer.status, answer.is_event_stream, coding});
  if (progress != StreamConnection::Progress::more) return shard.take_progress(slot, progress);
  Events{shard, slot, subscriber, now, stamp_unix_ns}.on_open();
}

void Shard::Carrier::on_body(http2::Tag slot, std::string_view bytes) {
  Slot& subscriber = shard.connections_[slot];
  if (!subscriber.stream.is_streaming()) return;
  Events events{shard, slot, subscriber, now, stamp_unix_ns};
  const StreamConnection::Progress progress = subscriber.stream.receive_body(bytes, events);
  if (progress != StreamConnection::Progress::more) shard.take_progress(slot, progress);
}

void Shard::Carrier::on_closed(http2::Tag slot, std::uint32_t error_code) {
  stream_of(slot) = 0;
  shard.lost(slot, error_code == 0 ? ConnectFailure::closed : ConnectFailure::reset,
             fmt::format("the stream was closed with code {}", error_code));
}

// The connection is gone, and with it every stream and whoever waited for it.
void Shard::lose(Carrier& carrier, ConnectFailure failure, const std::string& why) {
  carrier.state = Carrier::State::closed;
  ++carrier.generation;
  carrier.unsent.clear();
  doomed_.push_back(std::move(carrier.http2));  // may be what called us
  carrier.tls.reset();
  carrier.socket.close();
  carrier.streams.assign(plan_.streams, 0);
  const std::size_t end = std::min(carrier.first_slot() + plan_.streams, slots_);
  for (std::size_t slot = carrier.first_slot(); slot < end; ++slot) {
    const Slot& subscriber = connections_[slot];
    if (subscriber.pending || subscriber.stream.is_streaming()) lost(slot, failure, why);
  }
}

// One subscriber goes, and its connection if it has that for itself; the others stay.
void Shard::alight(std::size_t slot) {
  Carrier& carrier = *carriers_[slot / plan_.streams];
  if (carrier.state != Carrier::State::open) return;
  if (plan_.streams == 1) {
    doomed_.push_back(std::move(carrier.http2));  // may be what called us
    carrier.streams.assign(1, 0);
    carrier.state = Carrier::State::closed;
    ++carrier.generation;
    carrier.unsent.clear();
    carrier.tls.reset();
    carrier.socket.close();
    return;
  }
  http2::StreamId& stream = carrier.stream_of(slot);
  if (stream == 0) return;
  carrier.http2->cancel(std::exchange(stream, 0));
  flush_later(carrier);
}

}  // namespace rt
