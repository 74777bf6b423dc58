// 128-bit fingerprints of names (XXH3). Two different names never meet in practice, so an index and
// a filter can hold 16 bytes instead of the text. Not for secrets.
#pragma once

#include <cstdint>
#include <string_view>

namespace rt::server {

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
};

// What a name names: the same text in two roles has two hashes.
enum class Role : std::uint8_t {
  run = 1,
  environment = 2,
  tag = 3,
  topic = 4,
  scope = 5,       // events: "gym:1"
  event_type = 6,  // realtime
  user = 7,        // realtime
  job = 8,
};

Hash128 hash_name(Role role, std::string_view name);

// Index key under which every run subscriber stands that has no narrower condition.
inline constexpr std::uint64_t kEveryRunKey = 1;

}  // namespace rt::server
