#include "proto/eventrail_envelope.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "proto/json_compact.h"

namespace rt {
namespace {

bool is_scope_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

bool is_topic_character(char c) {
  constexpr std::string_view kGlob = "*?[]\\^";
  return c != ' ' && !is_control(c) && kGlob.find(c) == kGlob.npos;
}

tl::unexpected<Error> malformed(std::string_view channel, std::string_view what) {
  std::string shown(channel.substr(0, 100));
  std::replace_if(shown.begin(), shown.end(), is_control, ' ');
  return fail(Code::usage, fmt::format("invalid channel \"{}\": {}", shown, what),
              "channels are {scope}:{scope_id}:{topic}, for example gym:1:students");
}

}  // namespace

Result<EventChannel> parse_event_channel(std::string_view channel) {
  const std::size_t first = channel.find(':');
  const std::size_t second = first == channel.npos ? first : channel.find(':', first + 1);
  if (second == channel.npos) return malformed(channel, "it does not have three parts");
  EventChannel parts;
  parts.scope = channel.substr(0, first);
  parts.topic = channel.substr(second + 1);
  const auto id = parse_decimal(channel.substr(first + 1, second - first - 1));
  if (parts.scope.empty() ||
      !std::all_of(parts.scope.begin(), parts.scope.end(), is_scope_character)) {
    return malformed(channel, "its scope is no word");
  }
  if (!id || *id > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return malformed(channel, "its scope id is no whole number");
  }
  if (parts.topic.empty()) return malformed(channel, "its topic is empty");
  if (!std::all_of(parts.topic.begin(), parts.topic.end(), is_topic_character) ||
      !is_valid_utf8(parts.topic)) {
    return malformed(channel, "its topic has white space, a control character or a glob");
  }
  parts.scope_id = static_cast<std::int64_t>(*id);
  return parts;
}

Result<void> check_event_type(std::string_view type) {
  if (type.empty()) {
    return fail(Code::usage, "the event type is empty", "for example students.changed");
  }
  if (std::any_of(type.begin(), type.end(), is_control)) {
    return fail(Code::usage, "the event type has a control character",
                "a line end in it would break the event stream");
  }
  return {};
}

Result<void> append_event_envelope(std::string& out, std::string_view type,
                                   std::optional<std::string_view> data) {
  const std::size_t start = out.size();
  out.append("{\"event_type\":");
  append_json_string(out, type);
  if (data) {
    out.append(",\"data\":");
    if (!append_compact_json(out, *data)) {
      out.resize(start);
      return fail(Code::usage, "the data is not JSON",
                  "quote it for the shell: '{\"n\":1}' or '\"text\"'");
    }
  }
  out.push_back('}');
  return {};
}

}  // namespace rt
