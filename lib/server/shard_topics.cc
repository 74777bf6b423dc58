// The topics surface on a shard: requests in, subscriptions and messages on to the hub.
#include "server/gzip_frames.h"
#include "server/shard.h"
#include "server/topic_wire.h"

namespace rt::server {
// ssepg's order of checks: path, name, method, token, body.
bool Shard::route_topics(Slot slot, const http1::RequestHead& head) {
  const TopicsHttp& topics = options_.topics;
  if (head.path == topics.health_path && !topics.health_path.empty()) {
    topics_health(slot, head);
    return true;
  }
  const auto topic = topic_of_path(head.path, topics.base_path);
  if (!topic) return false;
  if (topic->empty()) {
    refuse(slot, 400, "invalid topic (allowed [a-z0-9_-]{1,128})\n");
  } else if (head.method == "GET") {
    listen_to_topic(slot, head, *topic);
  } else if (head.method == "POST") {
    begin_topic_publish(slot, head, *topic);
  } else if (head.method == "OPTIONS") {
    respond(slot, {.status = 204,
                   .content_type = "",
                   .extra_headers = "Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"
                                    "Access-Control-Allow-Headers: Authorization, Content-Type\r\n"
                                    "Vary: Origin\r\nVary: Access-Control-Request-Headers\r\n",
                   .keep_alive = head.keep_alive});
  } else {
    refuse(slot, 405, "Method not allowed\n", "Allow: GET, POST, OPTIONS\r\n");
  }
  return true;
}

bool Shard::is_allowed(Slot slot, const http1::RequestHead& head, const std::string& token,
                       std::string_view refusal) {
  if (token.empty() || bears_token(head.header("Authorization"), token)) return true;
  refuse(slot, 401, refusal, "WWW-Authenticate: Bearer\r\nVary: Authorization\r\n");
  return false;
}

void Shard::listen_to_topic(Slot slot, const http1::RequestHead& head, const std::string& topic) {
  const TopicsHttp& topics = options_.topics;
  if (!is_allowed(slot, head, topics.listen_token, "subscribe requires valid token\n")) return;
  if (head.has_body()) return refuse(slot, 400, "a stream request has no body\n");
  ToHub message;
  message.kind = ToHub::Kind::join;
  message.connection = id_of(slot);
  message.name = topic;
  message.target = hash_name(Role::topic, topic);
  message.gzip =
      topics.gzip && head.header("Accept-Encoding").find("gzip") != std::string_view::npos;
  const std::string preamble = topic_preamble(topic, head.header("Last-Event-ID"));
  message.text = topic_stream_head(message.gzip, !topics.listen_token.empty());
  if (message.gzip) {
    message.text.append(kGzipHeader).append(gzip_blocks(preamble));
  } else {
    message.text.append(preamble);
  }
  Connection& connection = connections_[slot];
  connection.incoming.reset();  // and with it the head
  connection.state = Connection::State::subscribing;
  connection.surface = Surface::topics;
  connection.gzip = message.gzip;
  connection.target = message.target;
  connection.head_sent = true;  // it is part of the text
  index_.add(message.target.low, slot, connection.chain);
  counters_.subscribers.fetch_add(1, std::memory_order_relaxed);
  tell_hub(std::move(message));
}

void Shard::begin_topic_publish(Slot slot, const http1::RequestHead& head,
                                const std::string& topic) {
  if (!is_allowed(slot, head, options_.topics.publish_token, "publish requires valid token\n")) {
    return;
  }
  if (head.chunked) return refuse(slot, 411, "send a Content-Length\n");
  Connection& connection = connections_[slot];
  connection.incoming->surface = Surface::topics;
  connection.incoming->name = topic;
  if (!head.has_body()) return finish_topic_publish(slot);
  await_body(slot, head);
}

// The body is complete.
void Shard::finish_topic_publish(Slot slot) {
  Connection& connection = connections_[slot];
  Incoming& incoming = *connection.incoming;
  TopicPublish publish =
      parse_topic_publish(incoming.name, incoming.body, options_.topics.notify_bytes_max);
  if (publish.status != 200) {
    counters_.requests_refused.fetch_add(1, std::memory_order_relaxed);
    const std::string refusal = std::move(publish.refusal);
    return respond(slot,
                   {.status = publish.status, .body = refusal, .keep_alive = incoming.keep_alive});
  }
  ToHub message;
  message.kind = ToHub::Kind::say;
  message.connection = id_of(slot);
  message.name = incoming.name;
  message.text = std::move(publish.data);
  connection.state = Connection::State::answering;
  tell_hub(std::move(message));
}

void Shard::topics_health(Slot slot, const http1::RequestHead& head) {
  ToHub message;
  message.kind = ToHub::Kind::topics_health;
  message.connection = id_of(slot);
  message.text = head.parameter("limit").value_or("");
  connections_[slot].incoming->surface = Surface::topics;
  connections_[slot].state = Connection::State::answering;
  tell_hub(std::move(message));
}

}  // namespace rt::server
