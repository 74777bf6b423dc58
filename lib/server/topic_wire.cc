#include "server/topic_wire.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "proto/json_compact.h"
#include "proto/json_scan.h"
#include "proto/topic_notify.h"

namespace rt::server {
namespace {

// Bytes of an envelope around topic and data, as ssepg counts them.
constexpr std::size_t kEnvelopeBytes = 20;

TopicPublish refused(int status, std::string text) {
  return {status, {}, std::move(text)};
}

}  // namespace

std::optional<std::string> topic_of_path(std::string_view path, std::string_view base) {
  constexpr std::string_view kTail = "/events";
  if (path.size() < base.size() + 1 + kTail.size()) return std::nullopt;
  if (path.substr(0, base.size()) != base || path[base.size()] != '/') return std::nullopt;
  if (path.substr(path.size() - kTail.size()) != kTail) return std::nullopt;
  const std::string_view id =
      path.substr(base.size() + 1, path.size() - base.size() - 1 - kTail.size());
  if (id.empty() || id.find('/') != std::string_view::npos) return std::nullopt;
  return topic_name(id).value_or("");
}

TopicPublish parse_topic_publish(std::string_view topic, std::string_view body,
                                 std::size_t bytes_max) {
  constexpr std::string_view kExpected = "invalid JSON; expected {\"data\": ...}\n";
  constexpr std::size_t kBodyBytesMax = 256 * 1024;  // ssepg's
  if (body.size() > kBodyBytesMax || !is_json_object(body))
    return refused(400, std::string(kExpected));
  const auto data = json_member_as_go(body, "data");
  TopicPublish publish;
  if (!data || *data == "null" || !append_compact_json(publish.data, *data)) {
    return refused(400, std::string(kExpected));
  }
  if (kEnvelopeBytes + publish.data.size() > bytes_max) {
    return refused(413, fmt::format("payload too large for NOTIFY (>{} bytes)\n", bytes_max));
  }
  const std::size_t bytes = kEnvelopeBytes + topic.size() + publish.data.size();
  if (bytes > bytes_max) {
    return refused(413, fmt::format("payload too large for NOTIFY ({} > {})\n", bytes, bytes_max));
  }
  return publish;
}

std::optional<TopicMessage> parse_topic_envelope(std::string_view payload) {
  if (!is_json_object(payload)) return std::nullopt;
  const auto topic = json_member_as_go(payload, "topic");
  // Names need no escapes; one that has some is nobody's topic.
  if (!topic || topic->size() < 2 || topic->front() != '"') return std::nullopt;
  return TopicMessage{std::string(topic->substr(1, topic->size() - 2)),
                      json_member_as_go(payload, "data").value_or("")};
}

std::string topic_frame(std::string_view data) {
  std::string frame = "event: message\n";
  std::string_view rest = data;
  for (;;) {
    const std::size_t end = rest.find_first_of("\r\n");
    frame.append("data: ").append(rest.substr(0, end)).push_back('\n');
    if (end == std::string_view::npos) break;
    const bool pair = rest[end] == '\r' && end + 1 < rest.size() && rest[end + 1] == '\n';
    rest.remove_prefix(end + (pair ? 2 : 1));
  }
  return frame.append("\n");
}

std::string topic_preamble(std::string_view topic, std::string_view last_event_id) {
  std::string text = "retry: 5000\n\n";
  if (!last_event_id.empty()) text.append(": last-event-id=").append(last_event_id).append("\n\n");
  return text.append(": listening ").append(topic).append("\n\n");
}

std::string topic_stream_headers(bool gzip, bool with_token) {
  return fmt::format(
      "Content-Type: text/event-stream; charset=utf-8\r\n"
      "Cache-Control: no-cache, no-transform\r\n"
      "Pragma: no-cache\r\n"
      "Connection: keep-alive\r\n"
      "X-Accel-Buffering: no\r\n"
      "Vary: Accept-Encoding\r\n"
      "{}{}",
      with_token ? "Vary: Authorization\r\n" : "", gzip ? "Content-Encoding: gzip\r\n" : "");
}

bool bears_token(std::string_view authorization, std::string_view token) {
  constexpr std::string_view kScheme = "bearer ";
  if (!equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return false;
  const std::string_view given = trim(authorization.substr(kScheme.size()));
  unsigned different = given.size() == token.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char expected = token.empty() ? '\0' : token[i % token.size()];
    different |= static_cast<unsigned>(static_cast<unsigned char>(given[i] ^ expected));
  }
  return different == 0 && !token.empty();
}

}  // namespace rt::server
