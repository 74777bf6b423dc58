// One client of a shard: a socket, or a stream of HTTP/2. Idle, it is this struct, its entry in the
// index, and what the kernel keeps: no buffer. What it is owed but the socket does not take stands
// in a Backlog, which exists only then.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/position.h"
#include "proto/chunked.h"
#include "proto/http1_request.h"
#include "server/backlog.h"
#include "server/cors.h"
#include "server/endpoint.h"
#include "server/link.h"
#include "server/posting_lists.h"
#include "server/run_filter.h"
#include "server/surface.h"
#include "server/transport.h"

namespace rt::server {

// A request on its way in.
struct Incoming {
  explicit Incoming(const http1::RequestLimits& limits) : parser(limits) {}

  http1::RequestParser parser;
  // Whose endpoint waits for the body; null: the runs surface.
  const ServedEndpoint* endpoint = nullptr;
  std::string name;  // what that endpoint gave, for its on_body()
  std::string body;
  enum class Framing : std::uint8_t { length, chunked, until_end };  // until_end: of a stream
  Framing framing = Framing::length;
  http1::ChunkedDecoder chunks;
  std::uint64_t body_bytes = 0;  // expected; if no length was told, at most
  bool keep_alive = true;
  bool head_only = false;  // HEAD
  std::string pending;     // bytes of later requests, held back until this one is answered
  std::string opening;     // what a stream begins with, until its board lets it
};

struct Connection {
  enum class State : std::uint8_t {
    free,
    reading,      // a request, or waiting for one
    body,         // of a publish request
    answering,    // the hub has the request
    subscribing,  // the hub has the subscription; nothing was sent yet
    catching_up,  // a chunk is being taken
    live,
    carrying,   // a session of HTTP/2: its streams are connections of their own
    closing,    // what is queued still goes out
    lingering,  // our side is shut; waits for the peer's
  };

  int fd = -1;                // a stream of HTTP/2 has none, but
  std::int32_t stream = 0;    // its number in the session, and
  std::uint32_t carrier = 0;  // the slot of the connection with the session
  std::uint32_t generation = 0;
  State state = State::free;
  Surface surface = Surface::runs;
  bool gzip = false;  // what is sent is a gzip stream
  bool wants_write = false;
  bool head_sent = false;
  bool leaving = false;     // is about to be closed
  bool for_health = false;  // it came to the port of health
  CorsPolicy::Grant cors = CorsPolicy::kNone;
  std::uint32_t requests = 0;    // tells one request's deadline from the next's
  std::uint32_t last_event = 0;  // stamp of the last event seen, so that two keys deliver it once
  PostingLists::Chain chain = PostingLists::kNone;
  // Live: events up to here were dealt with before it became live.
  Position seen;
  // What it wants: one run (the usual case) or one topic; or runs by a filter in full.
  Hash128 target;
  std::shared_ptr<const RunFilter> filter;
  std::unique_ptr<Incoming> incoming;
  std::unique_ptr<Backlog> backlog;
  std::unique_ptr<Transport> transport;  // null: a plain HTTP/1.1 socket, or a stream

  bool is_subscribed() const {
    return state == State::subscribing || state == State::catching_up || state == State::live;
  }
};
static_assert(sizeof(Connection) <= 112);

}  // namespace rt::server
