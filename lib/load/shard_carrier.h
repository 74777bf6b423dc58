// One connection of a shard that is more than a plain HTTP/1.1 socket: it may be encrypted, and
// many subscribers may share it as streams of HTTP/2. Subscribers of slots number * streams and on
// ride on carrier `number`. Private to the shard's source files; the work is in shard_carrier.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/tls.h"
#include "load/shard.h"
#include "load/shard_slot.h"
#include "proto/http2_client_session.h"

namespace rt {

struct Shard::Carrier final : http2::ClientSession::Owner {
  enum class State : std::uint8_t { closed, connecting, shaking_hands, open };

  Carrier(Shard& owner, std::size_t its_number) : shard(owner), number(its_number) {}

  void on_answer(http2::Tag slot, const http2::ClientSession::Answer& answer) override;
  void on_body(http2::Tag slot, std::string_view bytes) override;
  void on_closed(http2::Tag slot, std::uint32_t error_code) override;

  std::size_t first_slot() const { return number * shard.plan_.streams; }
  // The stream of a slot; 0: it has none.
  http2::StreamId& stream_of(std::size_t slot) { return streams[slot - first_slot()]; }

  Shard& shard;
  const std::size_t number;
  State state = State::closed;
  std::uint32_t generation = 0;  // counts sockets, as a slot's does
  bool wants_write = false;
  bool flushing = false;  // is in the shard's list of those that have something to send
  Fd socket;
  Instant now{};  // right after the read under way; while shaking hands, when that began
  std::int64_t stamp_unix_ns = 0;  // of that read
  std::unique_ptr<io::TlsSession> tls;
  std::unique_ptr<http2::ClientSession> http2;  // none: HTTP/1.1, one subscriber
  std::vector<http2::StreamId> streams;         // by slot
  std::string unsent;                           // of a request over HTTP/1.1
};

}  // namespace rt
