#include "server/realtime_ring.h"

#include <algorithm>

namespace rt::server {

void RealtimeRing::begin_after(RedisEntryId entry) {
  break_off();
  begin_ = entry;
}

void RealtimeRing::break_off() {
  told_.clear();
  bytes_ = 0;
  begin_.reset();
}

void RealtimeRing::put(RedisEntryId entry, const EventRef& event) {
  if (!begin_) {
    begin_ = entry;
    return;
  }
  told_.push_back({entry, event});
  bytes_ += event->memory_bytes();
  while (told_.size() > kEntriesMax || bytes_ > kBytesMax) {
    bytes_ -= told_.front().event->memory_bytes();
    begin_ = told_.front().entry;
    told_.pop_front();
  }
}

void RealtimeRing::append_frames(std::string& out, RedisEntryId after,
                                 std::span<const std::uint64_t> keys, const Hash128& target) const {
  const auto first =
      std::upper_bound(told_.begin(), told_.end(), after,
                       [](RedisEntryId entry, const Told& told) { return entry < told.entry; });
  for (auto told = first; told != told_.end(); ++told) {
    const EventBlock::Content& content = told->event->content();
    const bool wanted = std::any_of(
        content.keys.begin(), content.keys.end(),
        [&](std::uint64_t key) { return std::find(keys.begin(), keys.end(), key) != keys.end(); });
    if (wanted && (content.target == Hash128() || content.target == target)) {
      out.append(content.frame);
    }
  }
}

}  // namespace rt::server
