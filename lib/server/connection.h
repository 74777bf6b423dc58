// One client of a shard: a socket, or a stream of HTTP/2. Idle, it is this struct, its entry in the
// index, and what the kernel keeps: no buffer. What it is owed but the socket does not take stands
// in a Backlog, which exists only then.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/position.h"
#include "proto/chunked.h"
#include "proto/http1_request.h"
#include "server/cors.h"
#include "server/endpoint.h"
#include "server/event_block.h"
#include "server/link.h"
#include "server/posting_lists.h"
#include "server/run_filter.h"
#include "server/surface.h"
#include "server/transport.h"

namespace rt::server {

// Unsent output, in order. A piece is a shared event or text of this connection's own.
class Backlog {
 public:
  void push(EventRef event, std::string_view rest) {
    event_bytes_ += rest.size();
    pieces_.push_back({std::move(event), {}, rest, 0});
  }
  void push(std::string text) { pieces_.push_back({{}, std::move(text), {}, 0}); }

  bool empty() const { return pieces_.empty(); }
  // Of live events: what the slow-client limit counts. Catch-up chunks come only when asked for.
  std::size_t event_bytes() const { return event_bytes_; }

  std::string_view front() const {
    const Piece& piece = pieces_.front();
    return piece.event ? piece.rest : std::string_view(piece.text).substr(piece.written);
  }
  void consume(std::size_t bytes) {
    Piece& piece = pieces_.front();
    if (piece.event) {
      piece.rest.remove_prefix(bytes);
      event_bytes_ -= bytes;
      started_ = true;
      if (!piece.rest.empty()) return;
    } else {
      piece.written += bytes;
      started_ = true;
      if (piece.written < piece.text.size()) return;
    }
    pieces_.pop_front();
    started_ = false;
  }
  // Drops every piece of which nothing was written; the stream ends at the end of a frame.
  void drop_unstarted() {
    while (pieces_.size() > (started_ ? 1U : 0U)) {
      event_bytes_ -= pieces_.back().rest.size();
      pieces_.pop_back();
    }
  }
  // The piece in front begins in mid-frame: some of it went out before it came here.
  void mark_started() { started_ = true; }

  // Events that the subscriber missed because of what is in here.
  void count_missed() { ++missed_; }
  bool has_missed() const { return missed_ > 0; }
  std::uint32_t take_missed() { return std::exchange(missed_, 0); }

 private:
  struct Piece {
    EventRef event;
    std::string text;
    std::string_view rest;  // of the event's frame
    std::size_t written;    // of text
  };
  std::deque<Piece> pieces_;
  std::size_t event_bytes_ = 0;
  std::uint32_t missed_ = 0;
  bool started_ = false;
};

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
  bool leaving = false;  // is about to be closed
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
