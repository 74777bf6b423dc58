// The HTTP side of a surface: what a request means. It knows nothing of sockets, of HTTP versions
// and of other surfaces. All shards share one: const, thread-safe, no waiting.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "proto/http1_request.h"
#include "server/hash.h"
#include "server/surface.h"

namespace rt::server {

// The path is not this surface's.
struct NotMine {};

// The whole answer. Header lines each end with CRLF; names no Content-Type, Content-Length,
// Connection, Cache-Control or X-Content-Type-Options.
struct Answer {
  int status = 200;
  std::string body{};
  std::string content_type = "text/plain; charset=utf-8";
  std::string headers{};
};

// An event stream. The board's join() decides what follows its preamble.
struct Opening {
  std::string headers{};   // of the answer, each with CRLF; Content-Type among them
  std::string preamble{};  // the first bytes of the stream, not compressed
  // Events with any of these keys may concern the subscriber; those for another target do not.
  std::vector<std::uint64_t> keys{};
  Hash128 target{};
  bool gzip = false;
  std::optional<WallTime> ends_at{};  // the stream ends then: of who asks no more is known
  std::string principal{};            // who asks, for the access log; empty: nobody in particular
  // For the board alone.
  std::string name{};
  std::string last_event_id{};
};

// What the board must answer: a message to publish, a count to tell.
struct Question {
  int verb = 0;  // the surface's own numbers
  std::string name{};
  std::string text{};
  bool publishes = true;  // not taken any more once the server drains
};

// The request has a body that matters: on_body() is called with it.
struct BodyWanted {
  std::string name{};  // handed on to on_body
  std::size_t bytes_max = std::size_t{1} << 20;
  std::string principal{};  // as an Opening has it
};

using Outcome = std::variant<NotMine, Answer, Opening, Question, BodyWanted>;

// What a stream of this surface gets besides events.
struct StreamRules {
  // Sent to each stream once in this time; all of them together spread over it.
  Duration keepalive_every = std::chrono::seconds(15);
  std::function<std::string(WallTime now)> keepalive;
  std::string goodbye;  // before the server closes it
  // With it each client is told a pause of its own (`retry:`), so that not all come back at once.
  bool goodbye_sets_pause = true;
  // Who leaves more than the allowed backlog unread: is told and closed, or misses events.
  enum class WhenSlow : std::uint8_t { close, drop };
  WhenSlow when_slow = WhenSlow::close;
  std::size_t backlog_events_max = 0;  // the backlog's limit in events, beside bytes; 0: none
};

class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual Outcome on_request(const http1::RequestHead& head) const = 0;
  virtual Outcome on_body(const std::string& name, std::string body) const {
    (void)name, (void)body;
    return NotMine{};
  }
  // To a Question that publishes, once the server drains.
  virtual Answer draining() const { return {.status = 503, .body = "server draining\n"}; }
  virtual const StreamRules& stream_rules() const {
    static const StreamRules kNone;
    return kNone;
  }
};

struct ServedEndpoint {
  Surface surface = Surface::general;
  std::shared_ptr<const Endpoint> endpoint;
};

}  // namespace rt::server
