#include "proto/realtime_event.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/units.h"
#include "proto/json_compact.h"
#include "proto/json_scan.h"

namespace rt {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  append_json_string(out, text);
}

void append_stamp(std::string& out, std::optional<WallTime> timestamp, std::string_view id,
                  std::string_view origin) {
  if (timestamp) append_member(out, "timestamp", format_rfc3339_ms(*timestamp));
  if (!id.empty()) append_member(out, "id", id);
  if (!origin.empty()) append_member(out, "origin", origin);
}

// Members as they stand in the text; empty: there is none, or it is null.
struct Members {
  std::string_view type;
  std::string_view data;
  std::string_view user_id;
  std::string_view id;
  std::string_view origin;
};

// What a JSON string says; nothing if it is none.
std::optional<std::string> text_of(std::string_view json) {
  if (!json.starts_with('"')) return std::nullopt;
  if (json.find('\\') == json.npos) return std::string(json.substr(1, json.size() - 2));
  // An escaped half of a surrogate pair has no UTF-8.
  const auto value = nlohmann::json::parse(json.begin(), json.end(), nullptr, false);
  if (!value.is_string()) return std::nullopt;
  return value.get<std::string>();
}

// `object` is a valid JSON object.
Members members_of(std::string_view object) {
  Members members;
  for (const JsonMember& member : json_members(object)) {
    const std::string name = text_of(member.name).value_or("");
    const std::string_view value = member.value == "null" ? std::string_view() : member.value;
    if (name == "type") members.type = value;
    if (name == "data") members.data = value;
    if (name == "userId") members.user_id = value;
    if (name == "id") members.id = value;
    if (name == "origin") members.origin = value;
  }
  return members;
}

// The text of a member that may be missing; nothing if it is there and no text.
std::optional<std::string> optional_text(std::string_view json) {
  return json.empty() ? std::optional<std::string>("") : text_of(json);
}

}  // namespace

Result<void> append_realtime_event(std::string& out, const RealtimeEvent& event) {
  if (event.type.empty()) {
    return fail(Code::usage, "the event type is empty", "for example task-updated");
  }
  const std::size_t start = out.size();
  out.append("{\"type\":");
  append_json_string(out, event.type);
  out.append(",\"data\":");
  if (!append_compact_json(out, event.data)) {
    out.resize(start);
    return fail(Code::usage, "the data is not JSON",
                "quote it for the shell: '{\"n\":1}' or '\"text\"'");
  }
  if (event.user_id) append_member(out, "userId", *event.user_id);
  append_stamp(out, event.timestamp, event.id, event.origin);
  out.push_back('}');
  return {};
}

void stamp_realtime_event(std::string& event, const RealtimeStamp& stamp) {
  event.pop_back();
  append_stamp(event, stamp.timestamp, stamp.id, stamp.origin);
  event.push_back('}');
}

std::optional<RealtimeReceived> parse_realtime_event(std::string_view text) {
  RealtimeReceived event;
  if (!append_compact_json(event.json, text) || !event.json.starts_with('{')) return std::nullopt;
  const Members members = members_of(event.json);
  auto type = text_of(members.type);
  auto user = optional_text(members.user_id);
  if (!type || type->empty() || !user) return std::nullopt;
  event.type = std::move(*type);
  event.user_id = std::move(*user);
  event.id = text_of(members.id).value_or("");
  event.origin = text_of(members.origin).value_or("");
  return event;
}

Result<RealtimePost> parse_realtime_post(std::string_view body) {
  if (!is_json(body) || !trim(body).starts_with('{')) {
    return fail(Code::usage, "the body is no JSON object", R"(send {"type":"...","data":...})");
  }
  const Members members = members_of(body);
  const auto text = [](std::string_view json, std::string_view name) -> Result<std::string> {
    auto found = optional_text(json);
    if (!found) return fail(Code::usage, fmt::format("{} is no text", name));
    return std::move(*found);
  };
  RealtimePost post;
  post.type = RT_TRY(text(members.type, "type"));
  if (post.type.empty()) return fail(Code::usage, "type is missing or empty");
  post.user_id = RT_TRY(text(members.user_id, "userId"));
  post.data = members.data.empty() ? std::string_view("null") : members.data;
  return post;
}

}  // namespace rt
