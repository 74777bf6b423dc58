// Events over Redis Pub/Sub, as eventrail has them: the names of channels, and the envelope. Pure;
// thread-safe. Source: eventrail's publisher; the grammar of channels is enforced here (D-6).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rt {

// "gym:1:students"
struct EventChannel {
  std::string_view scope;     // a word: letters, digits, _ and -
  std::int64_t scope_id = 0;  // not negative
  std::string_view topic;  // no white space, control character or glob (* ? [ ] \ ^); may hold ':'
};

// {scope}:{scope_id}:{topic}, or Code::usage with the part that is wrong. Views into `channel`.
Result<EventChannel> parse_event_channel(std::string_view channel);

// Not empty, and nothing that would break a line of an event stream. Code::usage otherwise.
Result<void> check_event_type(std::string_view type);

// Appends {"event_type":"<type>","data":<data>}; without data the member is left out. Code::usage
// when data is no JSON value.
Result<void> append_event_envelope(std::string& out, std::string_view type,
                                   std::optional<std::string_view> data);

}  // namespace rt
