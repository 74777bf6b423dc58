// Topics over NOTIFY, as ssepg has them: which of a fleet's channels a topic is on, and the
// envelope that travels there. Pure; thread-safe. Source: ssepg's notify side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rt {

// How many channels publishers spread topics over (D-3); a fleet's listeners must cover them.
inline constexpr std::uint32_t kTopicShards = 8;
// What a fleet's automatic setting can come to: listening on all of these misses nobody.
inline constexpr std::uint32_t kTopicShardsMax = 128;
inline constexpr std::size_t kTopicBytesMax = 128;
// PostgreSQL refuses 8,000 bytes and more; ssepg keeps a distance.
inline constexpr std::size_t kTopicNotifyBytesMax = 7900;

// Lower-cased; then 1 to 128 of a-z, 0-9, _ and -. Fails with Code::usage.
Result<std::string> topic_name(std::string_view text);

// FNV-1a, 32 bits, over the lower-cased bytes.
std::uint32_t topic_hash(std::string_view topic);
// "topic_broadcast_3": the channel of a topic when there are `shards` (> 0) of them.
std::string topic_channel(std::string_view topic, std::uint32_t shards);
// "topic_broadcast_<shard>"
std::string topic_shard_channel(std::uint32_t shard);

// Appends {"topic":"<topic>","data":<data>}, data without insignificant white space and otherwise
// as it is (D-11). Fails with Code::usage when data is no JSON value, or null, or when the envelope
// is larger than bytes_max.
Result<void> append_topic_envelope(std::string& out, std::string_view topic, std::string_view data,
                                   std::size_t bytes_max = kTopicNotifyBytesMax);

}  // namespace rt
