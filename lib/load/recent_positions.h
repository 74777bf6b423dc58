// The last positions of a stream that a shard saw, so that a subscriber can claim to have seen less
// than it did. Pure; one thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>

#include "base/position.h"

namespace rt {

class RecentPositions {
 public:
  // 16 bytes are kept for each of `most`.
  explicit RecentPositions(std::size_t most) : most_(most) {}

  // Ignored unless it is newer than all before it: many subscribers see the same event.
  void saw(const Position& position) {
    if (most_ == 0 || (!positions_.empty() && position <= positions_.back())) return;
    positions_.push_back(position);
    if (positions_.size() > most_) positions_.pop_front();
  }

  // So many events before `position`, or the oldest one known. nullopt: nothing older is known.
  std::optional<Position> before(const Position& position, std::size_t back) const {
    const auto at = std::lower_bound(positions_.begin(), positions_.end(), position);
    const auto older = static_cast<std::size_t>(at - positions_.begin());
    if (older == 0) return std::nullopt;
    return positions_[older - std::min(older, std::max<std::size_t>(back, 1))];
  }

 private:
  std::size_t most_;
  std::deque<Position> positions_;
};

}  // namespace rt
