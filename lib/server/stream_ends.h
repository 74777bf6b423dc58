// When streams of one shard must end: with the tokens that opened them. A heap, looked at on the
// shard's tick, so that an event costs nothing more. Wall time, as a token's `exp` is: a clock that
// is set moves the ends with it. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace rt::server {

class StreamEnds {
 public:
  struct End {
    WallTime at{};
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;  // tells the stream from later ones in its slot
  };

  // is_open(end): whether that stream is still there. Streams that ended by themselves stay in the
  // heap until their time; once they may be half of it they are taken out, so that it never holds
  // more than twice the streams there were, however long tokens live and however short streams do.
  template <typename IsOpen>
  void add(const End& end, const IsOpen& is_open) {
    if (ends_.size() >= prune_at_) {
      ends_.erase(std::remove_if(ends_.begin(), ends_.end(),
                                 [&](const End& each) { return !is_open(each); }),
                  ends_.end());
      std::make_heap(ends_.begin(), ends_.end(), is_later);
      prune_at_ = std::max(kPruneAtLeast, 2 * ends_.size());
    }
    ends_.push_back(end);
    std::push_heap(ends_.begin(), ends_.end(), is_later);
  }

  // The earliest of those whose time has come, or nothing. It may be gone by itself.
  std::optional<End> take_due(WallTime now) {
    if (ends_.empty() || now < ends_.front().at) return std::nullopt;
    std::pop_heap(ends_.begin(), ends_.end(), is_later);
    const End due = ends_.back();
    ends_.pop_back();
    return due;
  }

  bool empty() const { return ends_.empty(); }
  std::size_t size() const { return ends_.size(); }

 private:
  static constexpr std::size_t kPruneAtLeast = 64;  // a kilobyte: not worth a look before

  static bool is_later(const End& a, const End& b) { return a.at > b.at; }

  std::vector<End> ends_;
  std::size_t prune_at_ = kPruneAtLeast;
};

}  // namespace rt::server
