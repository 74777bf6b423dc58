// The HTTP side of the realtime surface: GET and POST of one path. docs/realtime.md.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "server/endpoint.h"

namespace rt::server {

struct RealtimeCaller {
  std::string user{};               // empty: nobody in particular
  std::optional<WallTime> until{};  // the end of its token
};

struct RealtimeHttp {
  std::string path = "/realtime";
  // Who asks, by the request's token; an error is answered with 401. Thread-safe. Empty: nobody is
  // asked for a token.
  std::function<Result<RealtimeCaller>(const http1::RequestHead& head)> identify;
  // Who posts must bear it, and need be no user; empty: who may listen may post, to everybody.
  std::string publish_token{};
  // Without identify: the user is what `?user=` says. For servers on loopback only.
  bool trusts_parameter = false;
  // Of an event as the poster means it, without what the server adds.
  std::size_t event_bytes_max = std::size_t{1} << 20;
  Duration keepalive_every = std::chrono::seconds(25);
};

class RealtimeEndpoint final : public Endpoint {
 public:
  explicit RealtimeEndpoint(RealtimeHttp options);

  Outcome on_request(const http1::RequestHead& head) const override;
  // A Question of verb kRealtimePublish (realtime_wire.h).
  Outcome on_body(const std::string& name, std::string body) const override;
  Answer draining() const override;
  const StreamRules& stream_rules() const override { return rules_; }

 private:
  Result<RealtimeCaller> caller_of(const http1::RequestHead& head) const;
  Outcome publish(const http1::RequestHead& head) const;
  Outcome body_wanted(const http1::RequestHead& head, std::string user) const;
  Outcome subscribe(const http1::RequestHead& head, const RealtimeCaller& caller) const;

  const RealtimeHttp options_;
  StreamRules rules_;
};

}  // namespace rt::server
