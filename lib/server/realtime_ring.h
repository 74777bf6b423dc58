// The last entries of a realtime stream that were told, in their order: whoever comes back soon
// goes on from here, without a question to the transport. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>

#include "pipe/redis_entry.h"
#include "server/event_block.h"

namespace rt::server {

class RealtimeRing {
 public:
  // Some seconds of a busy stream: the time in which clients of a restarted load balancer are back.
  static constexpr std::size_t kEntriesMax = 4096;
  static constexpr std::size_t kBytesMax = std::size_t{8} << 20;

  // Entries after this one follow; those before are forgotten.
  void begin_after(RedisEntryId entry);
  // Entries are missing: none counts as known until the next one is put.
  void break_off();
  void put(RedisEntryId entry, const EventRef& event);

  // Whether every entry after this one that was told is here.
  bool covers(RedisEntryId after) const { return begin_ && after >= *begin_; }
  // Appends the frames of the entries after it that a subscriber of these keys and this target
  // sees.
  void append_frames(std::string& out, RedisEntryId after, std::span<const std::uint64_t> keys,
                     const Hash128& target) const;

 private:
  struct Told {
    RedisEntryId entry;
    EventRef event;
  };
  std::deque<Told> told_;
  std::size_t bytes_ = 0;
  std::optional<RedisEntryId> begin_;
};

}  // namespace rt::server
