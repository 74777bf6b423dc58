// What an instance makes of what its realtime bus brings, whatever the bus: what is no event is
// counted and left out, its own events that it has told already, and events that came before (by
// another channel, or published twice), are not told again.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/record.h"
#include "pipe/redis_entry.h"
#include "proto/realtime_event.h"

namespace rt {

struct RealtimeHeard {
  RealtimeReceived event;
  std::optional<RedisEntryId> entry;  // of a bus with a past
};

// One thread; the counts are for any.
class RealtimeIntake {
 public:
  // origin: this instance's. drops_own: it tells its own events itself, when they are published;
  // otherwise it tells them when they come back, in the order of the bus.
  RealtimeIntake(std::string origin, bool drops_own)
      : origin_(std::move(origin)), drops_own_(drops_own) {}

  // The event to be told, if any; gap records are the caller's.
  std::optional<RealtimeHeard> take(const RecordView& record);
  // Of the last record that is an entry, told or not.
  const std::optional<RedisEntryId>& last_entry() const { return last_entry_; }
  // An event of this id is told by the caller. False: it was told before.
  bool tell(std::string_view id) { return !is_repeated(id, kEveryChannel); }

  struct Counts {
    std::atomic<std::uint64_t> heard{0};      // told
    std::atomic<std::uint64_t> own{0};        // came back
    std::atomic<std::uint64_t> repeated{0};   // came before
    std::atomic<std::uint64_t> malformed{0};  // no event
  };
  const Counts& counts() const { return counts_; }

 private:
  // Copies of an event come within moments; those of
  // tell() when a transport that failed is back.
  static constexpr std::size_t kRememberedMax = 4096;
  static constexpr std::size_t kEveryChannel = 0;

  // Whether it came before. channel: 0, or a hash; then only what came by another one counts.
  bool is_repeated(std::string_view key, std::size_t channel);
  std::optional<RealtimeHeard> judge(std::string_view channel, std::string_view payload);

  const std::string origin_;
  const bool drops_own_;
  std::unordered_map<std::size_t, std::size_t> remembered_;  // hash of the key: channel
  std::deque<std::size_t> order_;                            // its keys, the oldest first
  std::optional<RedisEntryId> last_entry_;
  std::string text_;
  Counts counts_;
};

}  // namespace rt
