#include "server/realtime_endpoint.h"

#include <fmt/format.h>

#include <utility>

#include "proto/realtime_event.h"
#include "server/realtime_wire.h"
#include "server/refusals.h"
#include "server/topic_wire.h"

namespace rt::server {
namespace {

constexpr std::string_view kJson = "application/json";
// What is sent may have white space that the event does not keep.
constexpr std::size_t kBodyBytesMin = std::size_t{64} << 10;

Answer refused(int status, std::string_view reason, std::string headers = {}) {
  return {.status = status,
          .body = realtime_error_json(reason),
          .content_type = std::string(kJson),
          .headers = std::move(headers)};
}

Answer refused_caller(const Error& error) {
  if (error.code == Code::usage) return refused(403, error.text);
  return refused(401, error.text, std::string(kBearerChallenge));
}

bool has_control(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) return true;
  }
  return false;
}

}  // namespace

RealtimeEndpoint::RealtimeEndpoint(RealtimeHttp options) : options_(std::move(options)) {
  rules_.keepalive_every = options_.keepalive_every;
  rules_.keepalive = realtime_ping;
  rules_.goodbye = kRealtimeGoodbye;
  rules_.when_slow = StreamRules::WhenSlow::close;
}

Outcome RealtimeEndpoint::on_request(const http1::RequestHead& head) const {
  if (head.path != options_.path) return NotMine{};
  if (head.method == "OPTIONS")
    return Answer{.status = 204, .headers = "Allow: GET, POST, OPTIONS\r\n"};
  const bool is_post = head.method == "POST";
  if (!is_post && head.method != "GET") {
    return refused(405, "method not allowed", "Allow: GET, POST, OPTIONS\r\n");
  }
  if (is_post && !options_.publish_token.empty()) return publish(head);
  const auto caller = caller_of(head);
  if (!caller) return refused_caller(caller.error());
  if (!is_post) return subscribe(head, *caller);
  return body_wanted(head, caller->user);
}

// By whoever bears the token: a back end, as a rule. A user is told that it is not for him.
Outcome RealtimeEndpoint::publish(const http1::RequestHead& head) const {
  if (bears_token(head.header("Authorization"), options_.publish_token)) {
    return body_wanted(head, {});
  }
  if (options_.identify && options_.identify(head)) {
    return refused(403, "this token may listen, not publish");
  }
  return refused(401, "publishing needs the publish token", std::string(kBearerChallenge));
}

Outcome RealtimeEndpoint::body_wanted(const http1::RequestHead& head, std::string user) const {
  if (!head.has_body()) return refused(400, "the body is no JSON object");
  return BodyWanted{{}, std::max(kBodyBytesMin, 2 * options_.event_bytes_max), std::move(user)};
}

Answer RealtimeEndpoint::draining() const {
  return refused(503, "server draining");
}

Result<RealtimeCaller> RealtimeEndpoint::caller_of(const http1::RequestHead& head) const {
  if (options_.identify) return options_.identify(head);
  std::string user = head.parameter("user").value_or("");
  if (!user.empty() && !options_.trusts_parameter) {
    return fail(Code::usage,
                "user= is taken on a loopback address only; elsewhere a token names the user");
  }
  return RealtimeCaller{std::move(user), std::nullopt};
}

Outcome RealtimeEndpoint::subscribe(const http1::RequestHead& head,
                                    const RealtimeCaller& caller) const {
  if (head.has_body()) return refused(400, "a stream request has no body");
  auto keys = realtime_keys(head.parameter("events").value_or(""));
  if (!keys) return refused(400, fmt::format("more than {} types", kRealtimeTypesMax));
  Opening opening;
  opening.headers =
      "Content-Type: text/event-stream\r\n"
      "Cache-Control: no-cache, no-transform\r\n"
      "X-Accel-Buffering: no\r\n"
      "Access-Control-Allow-Origin: *\r\n"
      "Access-Control-Allow-Headers: Last-Event-Id\r\n";
  opening.keys = std::move(*keys);
  opening.target = realtime_target(caller.user);
  opening.ends_at = caller.until;
  opening.name = caller.user;
  opening.principal = caller.user;
  opening.last_event_id = head.header("Last-Event-ID");
  return opening;
}

Outcome RealtimeEndpoint::on_body(const std::string&, std::string body) const {
  const auto post = parse_realtime_post(body);
  if (!post) return refused(400, post.error().text);
  if (has_control(post->type) || has_control(post->user_id)) {
    return refused(400, "type and userId hold no control characters");
  }
  RealtimeEvent event{post->type, post->data};
  if (!post->user_id.empty()) event.user_id = post->user_id;
  Question question{kRealtimePublish, post->type + '\0' + post->user_id, {}};
  const auto written = append_realtime_event(question.text, event);
  if (!written) return refused(400, written.error().text);
  if (question.text.size() > options_.event_bytes_max) {
    return refused(413, fmt::format("the event has {} bytes, and the transport takes {}",
                                    question.text.size(), options_.event_bytes_max));
  }
  return question;
}

}  // namespace rt::server
