// Bytes of sockets, sealed by TLS or not.
#include <sys/socket.h>

#include <cerrno>

#include "server/shard.h"

namespace rt::server {

Shard::Received Shard::receive(Slot slot) {
  Connection& connection = connections_[slot];
  if (io::TlsSession* const tls = tls_of(connection)) return receive_sealed(slot, *tls);
  ssize_t got = 0;
  do {
    got = ::recv(connection.fd, read_buffer_.data(), read_buffer_.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return {};
  if (got <= 0) return {.gone = true};
  const std::string_view bytes(read_buffer_.data(), static_cast<std::size_t>(got));
  return {.bytes = bytes, .drained = bytes.size() < read_buffer_.size()};
}

Shard::Received Shard::receive_sealed(Slot slot, io::TlsSession& tls) {
  using State = io::TlsSession::State;
  if (!tls.is_established()) {
    const State state = tls.shake_hands();
    want_write(slot);
    if (state == State::waits) return {};
    if (state != State::ready) {
      counters_.handshakes_failed.fetch_add(1, std::memory_order_relaxed);
      return {.gone = true};
    }
    if (tls.protocol() == "h2") begin_http2(slot, {});
  }
  const io::TlsSession::Moved moved = tls.read(read_buffer_.data(), read_buffer_.size());
  want_write(slot);  // it may have had to answer
  if (moved.state == State::waits) return {};
  if (moved.state != State::ready) return {.gone = true};
  return {.bytes = {read_buffer_.data(), moved.bytes}};
}

// Bytes the socket took; anything that is not "full" will show as an error when it is next read.
std::size_t Shard::send(Slot slot, std::string_view bytes) {
  Connection& connection = connections_[slot];
  std::size_t count = 0;
  if (io::TlsSession* const tls = tls_of(connection)) {
    count = tls->write(bytes).bytes;
    if (tls->wants_write()) want_write(slot);
  } else {
    ssize_t sent = 0;
    do {
      sent = ::send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    count = sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  counters_.bytes_sent.fetch_add(count, std::memory_order_relaxed);
  return count;
}

// What TLS holds goes out before anything else. False: not all of it, or the connection is closed.
bool Shard::flush_sealed(Slot slot) {
  io::TlsSession* const tls = tls_of(connections_[slot]);
  if (tls == nullptr) return true;
  const io::TlsSession::State state = tls->flush();
  if (state == io::TlsSession::State::failed) close(slot);
  return state == io::TlsSession::State::ready;
}

io::TlsSession* Shard::tls_of(const Connection& connection) {
  return connection.transport ? connection.transport->tls.get() : nullptr;
}

bool Shard::holds_sealed(const Connection& connection) {
  const io::TlsSession* const tls = tls_of(connection);
  return tls != nullptr && tls->wants_write();
}

// Asks to be told when the socket takes more, if there is more.
void Shard::want_write(Slot slot) {
  Connection& connection = connections_[slot];
  if (connection.stream != 0) return;  // its session tells
  const http2::Session* const session =
      connection.transport ? connection.transport->http2.get() : nullptr;
  const bool wanted =
      connection.backlog || holds_sealed(connection) ||
      (session != nullptr && (!session->output().empty() || session->wants_to_go_on()));
  if (connection.wants_write == wanted) return;
  connection.wants_write = wanted;
  const auto interest = wanted ? io::Interest::read_write : io::Interest::read;
  if (!poller_->change(connection.fd, token(slot), interest)) {
    RT_CHECK(false && "a watched descriptor can be changed");
  }
}

}  // namespace rt::server
