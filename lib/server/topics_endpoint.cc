#include "server/topics_endpoint.h"

#include "server/refusals.h"
#include "server/topic_table.h"
#include "server/topic_wire.h"

namespace rt::server {
namespace {

Answer unauthorized(std::string text) {
  return {.status = 401, .body = std::move(text), .headers = std::string(kBearerChallenge)};
}

bool is_allowed(const http1::RequestHead& head, const std::string& token) {
  return token.empty() || bears_token(head.header("Authorization"), token);
}

}  // namespace

TopicsEndpoint::TopicsEndpoint(TopicsHttp options) : options_(std::move(options)) {
  rules_.keepalive_every = options_.keepalive_every;
  rules_.keepalive = [](WallTime) { return std::string(kTopicKeepalive); };
  rules_.goodbye = kTopicGoodbye;
  rules_.backlog_events_max = options_.client_events_max;
}

Outcome TopicsEndpoint::on_request(const http1::RequestHead& head) const {
  if (head.path == options_.health_path && !options_.health_path.empty()) {
    return Question{.verb = static_cast<int>(TopicVerb::health),
                    .text = head.parameter("limit").value_or(""),
                    .publishes = false};
  }
  const auto topic = topic_of_path(head.path, options_.base_path);
  if (!topic) return NotMine{};
  if (topic->empty()) {
    return Answer{.status = 400, .body = "invalid topic (allowed [a-z0-9_-]{1,128})\n"};
  }
  if (head.method == "GET") return listen(head, *topic);
  if (head.method == "POST") {
    if (!is_allowed(head, options_.publish_token)) {
      return unauthorized("publish requires valid token\n");
    }
    return BodyWanted{*topic};
  }
  if (head.method == "OPTIONS") {
    return Answer{.status = 204,
                  .headers =
                      "Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"
                      "Access-Control-Allow-Headers: Authorization, Content-Type\r\n"
                      "Vary: Origin\r\nVary: Access-Control-Request-Headers\r\n"};
  }
  return Answer{
      .status = 405, .body = "Method not allowed\n", .headers = "Allow: GET, POST, OPTIONS\r\n"};
}

Answer TopicsEndpoint::draining() const {
  return {.status = 503, .body = "publish error: server draining\n"};
}

Outcome TopicsEndpoint::listen(const http1::RequestHead& head, const std::string& topic) const {
  if (!is_allowed(head, options_.listen_token)) {
    return unauthorized("subscribe requires valid token\n");
  }
  if (head.has_body()) return Answer{.status = 400, .body = "a stream request has no body\n"};
  Opening opening;
  opening.name = topic;
  opening.last_event_id = head.header("Last-Event-ID");
  opening.target = topic_target(topic);
  opening.keys = {opening.target.low};
  opening.gzip =
      options_.gzip && head.header("Accept-Encoding").find("gzip") != std::string_view::npos;
  opening.headers = topic_stream_headers(opening.gzip, !options_.listen_token.empty());
  opening.preamble = topic_preamble(topic, opening.last_event_id);
  return opening;
}

Outcome TopicsEndpoint::on_body(const std::string& topic, std::string body) const {
  TopicPublish publish = parse_topic_publish(topic, body, options_.notify_bytes_max);
  if (publish.status != 200) {
    return Answer{.status = publish.status, .body = std::move(publish.refusal)};
  }
  return Question{
      .verb = static_cast<int>(TopicVerb::publish), .name = topic, .text = std::move(publish.data)};
}

}  // namespace rt::server
