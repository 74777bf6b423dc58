#include "server/events_wire.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"
#include "proto/eventrail_envelope.h"
#include "proto/json_scan.h"
#include "proto/sse_writer.h"

namespace rt::server {
namespace {

struct NamedData {
  std::string type;       // empty: it has none
  std::string_view data;  // into the payload
};

// eventrail reads the envelope with Go's encoding/json: what is no object of the right shape has no
// type.
NamedData read_envelope(std::string_view payload) {
  if (!is_json_object(payload)) return {};
  const auto type = json_member_as_go(payload, "event_type");
  const auto text = type ? json_string(*type) : std::nullopt;
  if (!text) return {};
  return {*text, json_member_as_go(payload, "data").value_or("{}")};
}

std::string full_name(std::string_view type, std::string_view prefix) {
  const bool has_prefix = type.size() > prefix.size() && type[prefix.size()] == '.' &&
                          type.substr(0, prefix.size()) == prefix;
  if (prefix.empty() || has_prefix) return std::string(type);
  return std::string(prefix).append(".").append(type);
}

EventPublish refused(int status, std::string_view text) {
  return {status, {}, {}, std::string(text).append("\n")};
}

// What the member says; empty if it is no text.
std::string text_member(std::string_view object, std::string_view name) {
  const auto value = json_member_as_go(object, name);
  return value ? json_string(*value).value_or("") : "";
}

}  // namespace

Result<std::string> event_prefix(std::string_view text) {
  std::string_view prefix = trim(text);
  if (!prefix.empty() && prefix.back() == '.') prefix.remove_suffix(1);
  if (!prefix.empty() && !check_event_type(prefix)) {
    return fail(Code::usage, "the event prefix has a control character",
                "a line end in it would break the event stream");
  }
  return std::string(prefix);
}

bool append_event_frame(std::string& out, std::string_view payload, std::string_view prefix) {
  const NamedData named = read_envelope(payload);
  const bool has_name = check_event_type(named.type).has_value();
  const std::string name = full_name(has_name ? std::string_view(named.type) : "message", prefix);
  RT_CHECK(sse::append_event(out, {.event = name, .data = has_name ? named.data : payload}));
  return has_name || named.type.empty();
}

std::string_view scope_of_channel(std::string_view channel) {
  const std::size_t first = channel.find(':');
  if (first == std::string_view::npos) return {};
  const std::size_t second = channel.find(':', first + 1);
  return second == std::string_view::npos ? std::string_view() : channel.substr(0, second);
}

std::string scope_pattern(std::string_view scope) {
  return std::string(scope).append(":*");
}

EventPublish parse_event_publish(std::string_view body, std::string_view scope) {
  if (!is_json_object(body)) {
    return refused(400, "invalid JSON; expected {\"channel\", \"event_type\", \"data\"}");
  }
  EventPublish publish;
  publish.channel = text_member(body, "channel");
  if (publish.channel.empty()) return refused(400, "channel cannot be empty");
  const auto channel = parse_event_channel(publish.channel);
  if (!channel) return refused(400, channel.error().text);
  const std::string type = text_member(body, "event_type");
  if (type.empty()) return refused(400, "event type cannot be empty");
  if (const auto good = check_event_type(type); !good) return refused(400, good.error().text);
  if (!scope.empty() && scope_of_channel(publish.channel) != scope) {
    return refused(403, fmt::format("channel {} is not in scope {}", publish.channel, scope));
  }
  const auto data = json_member_as_go(body, "data");
  if (const auto done = append_event_envelope(publish.envelope, type, data); !done) {
    return refused(400, done.error().text);
  }
  return publish;
}

std::string published_json(std::string_view channel, std::int64_t receivers) {
  std::string json = "{\"channel\":";
  append_json_string(json, channel);
  return json.append(fmt::format(",\"receivers\":{}}}\n", receivers));
}

}  // namespace rt::server
