// The life of one subscription over many connections: when to connect, what to send, whether an
// answer is a stream, how long to wait, when to give up (WHATWG HTML 9.2.2 to 9.2.4). Sans-IO: the
// caller owns transport and clock, tells the session what happened and when, and does what the
// Directive says:
//
//   Directive d = session.start(now);
//   connect -> open a connection, send session.request_headers(), then on_response() or
//   on_disconnect() read    -> keep reading; bytes go to receive() wait    -> close the connection
//   if there is one; nothing to do before next_deadline() end     -> close; session.end_reason()
//   says why and at next_deadline(), whatever the phase: d = session.on_deadline(now)
//
// Durable by default: a lost or refused-for-now stream is retried with exponential back-off and
// full jitter, and a silent one counts as lost. SessionOptions::browser() behaves as a browser's
// EventSource. One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "proto/sse_parser.h"

namespace rt::sse {

struct HeaderLine {
  std::string name;
  std::string value;
};

struct SessionOptions {
  // Retry only network failures and ends of stream, after exactly the reconnection time.
  bool strict = false;
  bool reconnect = true;  // off: the first end of the stream ends the session
  // The reconnection time until the server sends a `retry:` field. Durable waits lie between 0 and
  // min(backoff_max, retry_base * 2^failures).
  Duration retry_base = std::chrono::seconds(1);
  Duration backoff_max = std::chrono::seconds(30);
  // Failures in a row, with neither an event nor a stream of backoff_max in between, after which
  // the session ends. None: never.
  std::optional<std::uint32_t> retries_max{};
  // Silence after which a connection, or an answer to come, counts as lost; 0: never. Servers send
  // a heartbeat about every 15 s, so three may be lost.
  Duration heartbeat_timeout = std::chrono::seconds(45);
  std::string last_event_id{};        // where to resume from; empty: wherever the server begins
  std::vector<HeaderLine> headers{};  // sent with every attempt
  ParserOptions parser{};

  static SessionOptions browser();
};

struct Response {
  int status = 0;
  std::string_view content_type{};
  std::string_view retry_after{};  // the header's value, or empty
};

enum class Directive : std::uint8_t { connect, read, wait, end };

struct SessionCounters {
  std::uint64_t attempts = 0;         // connections begun
  std::uint64_t streams = 0;          // of these, answered with an event stream
  std::uint64_t events = 0;           // dispatched, over all streams
  std::uint64_t truncated = 0;        // streams that ended inside a block, which was dropped
  std::uint64_t heartbeats_lost = 0;  // connections given up because of silence
};

class Session {
 public:
  // Code::usage if a header or the last event id contains CR, LF or NUL.
  static Result<Session> create(SessionOptions options, Random random);

  Directive start(Instant now);
  // The answer to an attempt, redirects already followed. `wall` reads a Retry-After date.
  Directive on_response(const Response& response, Instant now, WallTime wall);
  // Body bytes. Handler as in Parser::receive; `received` tells how many bytes were taken, in case
  // on_event returned false.
  template <typename Handler>
  Directive receive(std::string_view bytes, Instant now, Handler&& handler, Received& received);
  // The connection could not be made, broke, or ended. `why` is one lower-case phrase, e.g.
  // "connection refused (ECONNREFUSED)" or "the server closed the stream".
  Directive on_disconnect(std::string_view why, Instant now);
  Directive on_deadline(Instant now);

  // When on_deadline() wants to be called; none when there is nothing to wait for.
  std::optional<Instant> next_deadline() const;
  // Accept, Cache-Control, Last-Event-ID if there is one, then the user's own, which win by name.
  std::vector<HeaderLine> request_headers() const;

  std::string_view last_event_id() const { return parser_.last_event_id(); }
  const SessionCounters& counters() const { return counters_; }
  std::uint32_t failures() const { return failures_; }               // in a row
  const std::string& last_failure() const { return last_failure_; }  // why we wait
  Duration reconnection_time() const { return retry_base_; }
  const Error& end_reason() const { return end_reason_; }  // once a Directive was `end`

 private:
  enum class Phase : std::uint8_t { idle, waiting, connecting, streaming, ended };

  Session(SessionOptions options, Random random);
  Directive retry(std::string why, Duration wait_min, Instant now);
  Directive end(Error reason);
  Directive refuse(const Response& response);
  bool is_retried(int status) const;
  Duration next_wait();
  void touch(Instant now);

  SessionOptions options_;
  Random random_;
  Parser parser_;
  Duration retry_base_;
  Phase phase_ = Phase::idle;
  std::optional<Instant> deadline_;
  Instant stream_began_{};
  std::uint32_t failures_ = 0;
  std::string last_failure_;
  SessionCounters counters_;
  Error end_reason_;
};

template <typename Handler>
Directive Session::receive(std::string_view bytes, Instant now, Handler&& handler,
                           Received& received) {
  struct Tap {
    Session& session;
    Handler& handler;
    auto on_event(const EventView& event) {
      ++session.counters_.events;
      session.failures_ = 0;
      return handler.on_event(event);
    }
    void on_comment(std::string_view text) { handler.on_comment(text); }
    void on_retry(std::chrono::milliseconds retry) {
      session.retry_base_ = retry;
      handler.on_retry(retry);
    }
  };
  received = {};
  if (phase_ != Phase::streaming) return phase_ == Phase::ended ? Directive::end : Directive::wait;
  touch(now);
  received = parser_.receive(bytes, Tap{*this, handler});
  if (received.status != ReceiveStatus::too_large) return Directive::read;
  return end(too_large_error(options_.parser.event_bytes_max));
}

}  // namespace rt::sse
