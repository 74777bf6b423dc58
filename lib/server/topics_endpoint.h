// The HTTP side of topics; see docs/topics.md. Checks come in ssepg's order: path, name, method,
// token, body.
#pragma once

#include <string>

#include "server/endpoint.h"

namespace rt::server {

struct TopicsHttp {
  std::string base_path = "/topics";
  std::string health_path = "/healthz";  // empty: it is served elsewhere
  std::string publish_token;             // empty: anybody may
  std::string listen_token;
  std::size_t notify_bytes_max = 7900;
  bool gzip = true;                   // for who asks for it
  std::size_t client_events_max = 0;  // messages a subscriber may leave unread; 0: bytes alone
  Duration keepalive_every = std::chrono::seconds(15);
};

// What a Question of this surface asks.
enum class TopicVerb : int {
  publish,  // name: topic; text: compact JSON
  health,   // text: ?limit=, or empty
};

class TopicsEndpoint final : public Endpoint {
 public:
  explicit TopicsEndpoint(TopicsHttp options);
  Outcome on_request(const http1::RequestHead& head) const override;
  Outcome on_body(const std::string& topic, std::string body) const override;
  Answer draining() const override;
  const StreamRules& stream_rules() const override { return rules_; }

 private:
  Outcome listen(const http1::RequestHead& head, const std::string& topic) const;

  TopicsHttp options_;
  StreamRules rules_;
};

}  // namespace rt::server
