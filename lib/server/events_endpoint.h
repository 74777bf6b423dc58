// GET /events and POST /events, as eventrail has them: who asks, and what that means. A stream
// carries the events of one scope and scope id; both come from a signed token, or, on a server that
// has no key and is reachable from this machine alone, from the query.
#pragma once

#include <optional>
#include <string>

#include "auth/token_check.h"
#include "base/clock.h"
#include "server/endpoint.h"

namespace rt::server {

class EventsEndpoint final : public Endpoint {
 public:
  struct Options {
    std::optional<TokenCheck> tokens;  // absent: no key
    bool loopback_only = false;        // nobody but this machine reaches the server
    Duration heartbeat_every = std::chrono::seconds(30);
    StreamRules::WhenSlow when_slow = StreamRules::WhenSlow::drop;
  };

  // clock outlives it.
  EventsEndpoint(Options options, const Clock& clock);

  Outcome on_request(const http1::RequestHead& head) const override;
  Outcome on_body(const std::string& name, std::string body) const override;
  const StreamRules& stream_rules() const override { return rules_; }

 private:
  struct Caller {
    // "gym:1". Empty: any, for who publishes to a server without a key.
    std::string scope;
    std::optional<WallTime> until;  // the end of its token
  };
  // Or why nobody in particular.
  Result<Caller> caller_of(const http1::RequestHead& head) const;
  Result<Caller> caller_of_token(const http1::RequestHead& head) const;
  Result<std::string> scope_of_query(const http1::RequestHead& head) const;

  const Options options_;
  const Clock& clock_;
  StreamRules rules_;
};

}  // namespace rt::server
