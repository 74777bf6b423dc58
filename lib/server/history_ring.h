// The recent past, in memory: the events a subscriber can resume from without the archive.
// Bounded in bytes; the oldest events make room. Events of one run are linked, so that who follows
// one run does not make us look at all. One thread (the hub's).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "base/position.h"
#include "server/event_block.h"

namespace rt::server {

class HistoryRing {
 public:
  explicit HistoryRing(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Everything after `position` will be here: the past starts anew.
  void reset(Position position) {
    first_serial_ = end_serial();
    events_.clear();
    last_of_run_.clear();
    bytes_ = 0;
    floor_ = position;
  }

  void push(EventRef event) {
    bytes_ += kEntryBytes + event->memory_bytes();
    const auto [last, is_first] = last_of_run_.try_emplace(run_key_of(*event), kNone);
    const std::uint64_t before = last->second;
    last->second = end_serial();
    events_.push_back({std::move(event), before});
    while (bytes_ > bytes_max_ && events_.size() > 1) {
      const EventBlock& oldest = *events_.front().event;
      bytes_ -= kEntryBytes + oldest.memory_bytes();
      floor_ = oldest.position();
      const auto found = last_of_run_.find(run_key_of(oldest));
      if (found->second == first_serial_) last_of_run_.erase(found);
      events_.pop_front();
      ++first_serial_;
    }
  }

  // Every event after this position is here.
  Position floor() const { return floor_; }

  // Events have serial numbers without holes; a reader keeps the next one it wants.
  std::uint64_t first_serial() const { return first_serial_; }
  std::uint64_t end_serial() const { return first_serial_ + events_.size(); }
  // Of the first event after `position`; position >= floor().
  std::uint64_t serial_after(Position position) const {
    const auto at = std::upper_bound(
        events_.begin(), events_.end(), position,
        [](const Position& p, const Entry& entry) { return p < entry.event->position(); });
    return first_serial_ + static_cast<std::uint64_t>(at - events_.begin());
  }
  const EventBlock& at(std::uint64_t serial) const { return *entry(serial).event; }
  // Serials of the events of one run from `serial` on, ascending. key: that of its RunFilter.
  std::vector<std::uint64_t> of_run(std::uint64_t key, std::uint64_t serial) const {
    std::vector<std::uint64_t> serials;
    const auto last = last_of_run_.find(key);
    std::uint64_t at = last == last_of_run_.end() ? kNone : last->second;
    for (; at != kNone && at >= std::max(serial, first_serial_); at = entry(at).before) {
      serials.push_back(at);
    }
    std::reverse(serials.begin(), serials.end());
    return serials;
  }

  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return events_.size(); }

 private:
  static constexpr std::uint64_t kNone = UINT64_MAX;
  // The links and, at worst, a node of the index for each event.
  static constexpr std::size_t kEntryBytes = 64;

  struct Entry {
    EventRef event;
    std::uint64_t before;  // serial of the same run's event before it, here or gone; or kNone
  };
  const Entry& entry(std::uint64_t serial) const {
    return events_[static_cast<std::size_t>(serial - first_serial_)];
  }
  static std::uint64_t run_key_of(const EventBlock& event) {
    const EventBlock::Content& content = event.content();
    if (content.after) return content.after->id.low;
    return content.before ? content.before->id.low : 0;
  }

  const std::size_t bytes_max_;
  std::deque<Entry> events_;
  std::unordered_map<std::uint64_t, std::uint64_t> last_of_run_;  // by its key
  std::size_t bytes_ = 0;
  Position floor_;
  std::uint64_t first_serial_ = 0;
};

}  // namespace rt::server
