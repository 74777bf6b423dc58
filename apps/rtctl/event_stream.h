// What every source of `rtctl` looks like to the verbs: events of one stream, however they travel.
// One file per source (`sse_stream`, `wal_stream`, `notify_stream`, `redis_stream`) and one line in
// the table of `sources.cc`.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace rt::rtctl {

// Views live until the call they are handed to returns.
struct StreamEvent {
  std::string_view event;  // its name: "message", "delta", "insert", ...
  std::string_view id;     // where to resume after it; empty: nowhere
  std::string_view data;
  std::string_view topic;           // channel, or table; empty where the stream is but one
  std::optional<WallTime> written;  // when its source made it (commit time), if that is known
};

// The connection was lost or could not be made; the stream tries again by itself.
struct StreamRetry {
  Error reason;
  Duration delay{};            // until the next attempt
  std::uint32_t failures = 0;  // in a row
};

// Takes what a stream yields, on the thread of EventStream::run(). None may throw.
class EventTaker {
 public:
  virtual ~EventTaker() = default;
  // false ends the subscription; nothing is handed over after it.
  virtual bool on_event(const StreamEvent& event) = 0;
  virtual void on_comment(std::string_view text) { (void)text; }
  // Events flow from now on; `again`: after a lost connection.
  virtual void on_open(bool again) { (void)again; }
  virtual void on_retry(const StreamRetry& retry) { (void)retry; }
  // Events may have been lost here, and cannot be had again.
  virtual void on_gap(std::string_view reason) { (void)reason; }
  // The past is told: what comes now is new. Once at most; not every stream can know.
  // false ends the subscription.
  virtual bool on_caught_up() { return true; }
  // All that has arrived was handed over; the next call may be long in coming: flush.
  virtual void on_drained() {}
};

enum class StreamEnd : std::uint8_t {
  stopped,  // on request: the taker's or the stop token's
  ended,    // the source ended in order
};

class EventStream {
 public:
  virtual ~EventStream() = default;
  // Runs until the end; lost connections are mended inside. Uses no CPU while nothing arrives, and
  // returns within about 1 s of a stop request.
  virtual Result<StreamEnd> run(EventTaker& taker, std::stop_token stop) = 0;
  // The stream in words that a cursor is bound to: "http://host/path", "notify orders". No secret.
  virtual std::string name() const = 0;
};

}  // namespace rt::rtctl
