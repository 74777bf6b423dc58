// The connection over which a realtime bus publishes: made when it is needed, kept, made anew when
// it was lost; not tried again and again while the peer is away. One thread.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "pipe/backoff.h"
#include "pipe/realtime_link.h"

namespace rt {

// Long enough for a peer that is busy; a poster waits for it.
inline constexpr std::chrono::seconds kRealtimePublishTimeout{3};

// Connection: of lib/redis or lib/pg.
template <typename Connection>
class RealtimeOutbox {
 public:
  explicit RealtimeOutbox(const RealtimeLink& link)
      : link_(link),
        backoff_(Random::of(static_cast<std::uint64_t>(clock_.now().time_since_epoch().count()),
                            "realtime outbox")) {}

  // Calls send(connection). is_alive(connection): whether one that was kept still is, so that an
  // event is not sent into a connection that is known to be dead. What was sent is never sent
  // again: if its answer did not come, nobody knows whether it was taken.
  template <typename Connect, typename IsAlive, typename Send>
  Result<void> send(const Connect& connect, const IsAlive& is_alive, const Send& send) {
    if (connection_ && !is_alive(*connection_)) connection_.reset();
    if (!connection_) RT_CHECKED(open(connect));
    Result<void> sent = send(*connection_);
    if (!sent && sent.error().code != Code::usage) connection_.reset();
    return sent;
  }

 private:
  // While the source has no connection either, a failure stands for a while.
  template <typename Connect>
  Result<void> open(const Connect& connect) {
    if (failure_ && clock_.now() < not_before_ && !link_.is_connected()) return fail(*failure_);
    auto made = connect();
    if (made) {
      failure_.reset();
      backoff_.reset();
      connection_.emplace(std::move(*made));
      return {};
    }
    failure_ = made.error();
    not_before_ = clock_.now() + backoff_.next();
    return fail(*failure_);
  }

  const RealtimeLink& link_;
  SystemClock clock_;
  Backoff backoff_;
  std::optional<Connection> connection_;
  std::optional<Error> failure_;  // of the last attempt to connect
  Instant not_before_;
};

}  // namespace rt
