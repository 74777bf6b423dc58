// The listener of a shard: its own, to which the kernel gives a share of the port's connections; or
// one that was inherited, from which all shards accept. An inherited one cannot be shared in the
// kernel: SO_REUSEPORT must be set before bind(), and by the same user.
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "server/shard.h"

namespace rt::server {

Result<void> Shard::open_listener() {
  if (options_.inherited >= 0) {
    listener_ = Fd(options_.inherited);  // in this thread's table
    io::set_no_delay(listener_.get());
  } else {
    listener_ = RT_TRY(io::listen_on(options_.listen, {.share_port = true}));
  }
  // Accepted sockets inherit these. Little unsent data in the kernel makes the backlog below the
  // true one; a peer that is silently gone is given up after a minute.
  const int unsent_bytes_max = options_.unsent_bytes_max;
  const int user_timeout_ms = 60'000;
  const int accept_with_request_s = 1;  // one wake-up for connection and request
  ::setsockopt(listener_.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes_max,
               sizeof unsent_bytes_max);
  ::setsockopt(listener_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms,
               sizeof user_timeout_ms);
  ::setsockopt(listener_.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &accept_with_request_s,
               sizeof accept_with_request_s);
  return poller_->watch(listener_.get(), kListenerToken, io::Interest::read);
}

// All shards are woken by a connection and race for it, so that a busy one gets fewer. A full one
// would refuse what another could take.
bool Shard::leaves_to_others() const {
  if (options_.inherited < 0 || socket_count_ < options_.connections_max) return false;
  return counters_.connections.load(std::memory_order_relaxed) < options_.server_connections_max;
}

// A tick later it looks again.
void Shard::pause_listening() {
  poller_->unwatch(listener_.get());
  is_paused_ = true;
}

void Shard::resume_listening() {
  is_paused_ = !poller_->watch(listener_.get(), kListenerToken, io::Interest::read).has_value();
}

}  // namespace rt::server
