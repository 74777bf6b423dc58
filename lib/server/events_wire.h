// What the events surface says on the wire: requests, answers and frames of eventrail. Pure
// functions. Source: eventrail's handler and event encoder; docs/events.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rt::server {

// What names of events begin with: "app" of " app. " (no blanks around it, and one dot less). Empty
// if there is nothing else. Code::usage if it would break a line of the stream.
Result<std::string> event_prefix(std::string_view text);

// Appends the frame of a message as it came from Redis. {"event_type":"x.y","data":{...}} becomes
// event "x.y" with that data, byte for byte; everything else becomes event "message" with the
// payload as it is. The prefix and a dot come before the name, if it has not them already. False if
// the type could not be a name (it has a control character): the whole payload is a "message" then.
bool append_event_frame(std::string& out, std::string_view payload, std::string_view prefix);

// "gym:1" of "gym:1:students", whatever follows; empty if there are no three parts.
std::string_view scope_of_channel(std::string_view channel);
// "gym:1:*": in Redis, * crosses ':'.
std::string scope_pattern(std::string_view scope);

// A publish request: {"channel","event_type","data"}. On success `status` is 202 and `channel` and
// `envelope` are what goes to Redis; otherwise `refusal` is the answer's body.
struct EventPublish {
  int status = 202;
  std::string channel;
  std::string envelope;
  std::string refusal;
};
// scope: "gym:1", in which the channel must lie; empty: it may lie in any.
EventPublish parse_event_publish(std::string_view body, std::string_view scope);
// The answer when Redis has it. receivers: how many of its connections listened.
std::string published_json(std::string_view channel, std::int64_t receivers);

// A comment, not a field: eventrail's clients keep their own pause, and so do ours.
inline constexpr std::string_view kEventsPreamble = ": retry 3000\n\n";
inline constexpr std::string_view kEventsHeartbeat = ": heartbeat\n\n";
inline constexpr std::string_view kEventsGoodbye = ": server shutting down\n\n";

}  // namespace rt::server
