// The recent past, in memory: the events a subscriber can resume from without the archive.
// Bounded in bytes; the oldest events make room. One thread (the hub's).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

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
    bytes_ = 0;
    floor_ = position;
  }

  void push(EventRef event) {
    bytes_ += event->memory_bytes();
    events_.push_back(std::move(event));
    while (bytes_ > bytes_max_ && events_.size() > 1) {
      bytes_ -= events_.front()->memory_bytes();
      floor_ = events_.front()->position();
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
        [](const Position& p, const EventRef& event) { return p < event->position(); });
    return first_serial_ + static_cast<std::uint64_t>(at - events_.begin());
  }
  const EventBlock& at(std::uint64_t serial) const {
    return *events_[static_cast<std::size_t>(serial - first_serial_)];
  }

  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return events_.size(); }

 private:
  const std::size_t bytes_max_;
  std::deque<EventRef> events_;
  std::size_t bytes_ = 0;
  Position floor_;
  std::uint64_t first_serial_ = 0;
};

}  // namespace rt::server
