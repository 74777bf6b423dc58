// Events of the realtime transport, as its publishers write them and its instances pass them on:
// {"type","data","userId"?,"timestamp","id","origin"}, in this order. `id` and `origin` are ours
// (D-7); peers that do not know them ignore them. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace rt {

inline constexpr std::string_view kRealtimeRedisChannel = "rt:all";
// Partitioned by type: "rt:task-updated". Who listens to all of them listens to the pattern.
inline constexpr std::string_view kRealtimeRedisPrefix = "rt:";
inline constexpr std::string_view kRealtimeRedisPattern = "rt:*";
inline constexpr std::string_view kRealtimePostgresChannel = "realtime_events";
// At least once: a Redis stream, whose entries have one field that holds the event.
inline constexpr std::string_view kRealtimeRedisStream = "rt:stream";
inline constexpr std::string_view kRealtimeStreamField = "data";
// An instance that was away for longer finds a gap: at 1,000 events a minute, more than an hour.
inline constexpr std::size_t kRealtimeStreamEntriesMax = 100'000;
// PostgreSQL's own limit of a notification.
inline constexpr std::size_t kRealtimeNotifyBytesMax = 7999;

struct RealtimeEvent {
  std::string_view type;  // not empty
  std::string_view data;  // JSON
  std::optional<std::string_view> user_id{};
  std::optional<WallTime> timestamp{};  // these three: left out by a client that posts to a server
  std::string_view id{};
  std::string_view origin{};
};

// Code::usage when data is no JSON value or the type is empty.
Result<void> append_realtime_event(std::string& out, const RealtimeEvent& event);

// Completes an event that was written without them: `event` is a JSON object that is not empty.
struct RealtimeStamp {
  WallTime timestamp{};
  std::string_view id;
  std::string_view origin;
};
void stamp_realtime_event(std::string& event, const RealtimeStamp& stamp);

// An event as a transport brought it.
struct RealtimeReceived {
  std::string json;     // all of it, on one line
  std::string type;     // not empty
  std::string user_id;  // empty: for everybody
  std::string id;       // these two: empty from a publisher that knows no such things
  std::string origin;
};
// Nothing if it is no JSON object, has no type, or a type or user that is no text. Of two members
// with one name the last counts, as in JavaScript.
std::optional<RealtimeReceived> parse_realtime_event(std::string_view text);

// What a client posts: {"type","data","userId"?}; other members mean nothing. Code::usage with what
// is wrong; without data it is null.
struct RealtimePost {
  std::string type;
  std::string user_id;    // empty: for everybody
  std::string_view data;  // into the body
};
Result<RealtimePost> parse_realtime_post(std::string_view body);

}  // namespace rt
