// What the realtime surface says on the wire: frames, keys, answers. Pure; thread-safe.
// docs/realtime.md has the contract; the frames are those of the original PubSubAdapter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pipe/redis_entry.h"
#include "server/hash.h"

namespace rt::server {

// The verb of a Question from the endpoint to the board: an event to be published. Its name is
// "<type>\0<user>", its text the event without stamp.
inline constexpr int kRealtimePublish = 1;

// Index keys. A subscriber has the key of each type that it wants, or kAllTypes; and everyone's.
std::uint64_t realtime_type_key(std::string_view type);
std::uint64_t realtime_all_types_key();
std::uint64_t realtime_everyone_key();
// Zero: everybody, or nobody in particular.
Hash128 realtime_target(std::string_view user);

// The keys of "a,b": empty items mean nothing; no item, or "all" among them, means all types.
// Nothing if there are more than kTypesMax.
inline constexpr std::size_t kRealtimeTypesMax = 64;  // a page shows fewer kinds of things
std::optional<std::vector<std::uint64_t>> realtime_keys(std::string_view types);

// "data: {"type":"connected","timestamp":"..."}\n\n"
std::string realtime_connected_frame(WallTime now);
// json: one line. entry: of a transport that keeps events; the frame has an id then.
std::string realtime_frame(std::string_view json, const std::optional<RedisEntryId>& entry);
std::string realtime_ping(WallTime now);
inline constexpr std::string_view kRealtimeGoodbye = ": server shutting down\n\n";

// {"id":"..."}, {"error":"..."}; local: it reached the subscribers of this instance, no others.
std::string realtime_published_json(std::string_view id);
std::string realtime_error_json(std::string_view error);
std::string realtime_local_only_json(std::string_view id, std::string_view error);

}  // namespace rt::server
