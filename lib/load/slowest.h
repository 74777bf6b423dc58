// "report.keep_worst" of a scenario: the slowest deliveries of the measured phases, each with its
// stamps, so that a tail can be looked into. A heap of bounded size; the hot path is a comparison.
// The control thread's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "load/outcome.h"
#include "load/shard_messages.h"

namespace rt {

// Whose latency is larger; among equals an order that is the same whatever shards there were.
bool is_slower(const SlowDelivery& a, const SlowDelivery& b);
// The slowest `sum.most` of both: the same in whatever order and grouping they are added.
void add_slowest(SlowDeliveries& sum, const SlowDeliveries& part);

class Slowest {
 public:
  // most: how many are kept. counts: by phase, whether its deliveries do.
  Slowest(std::size_t most, std::vector<bool> counts) : most_(most), counts_(std::move(counts)) {}

  struct Kept {
    std::int64_t us = 0;
    std::int64_t committed_unix_us = 0;  // 0: not known
    std::int64_t wall_minus_mono_ns = 0;
    Delivery delivery;
  };
  void record(const Delivery& delivery, std::int64_t us, std::int64_t committed_unix_us,
              std::int64_t wall_minus_mono_ns) {
    if (us < floor_us_ || delivery.bucket >= counts_.size() || !counts_[delivery.bucket]) return;
    keep({us, committed_unix_us, wall_minus_mono_ns, delivery});
  }

  std::size_t most() const { return most_; }
  // Without an order.
  const std::vector<Kept>& kept() const { return heap_; }

 private:
  void keep(const Kept& kept);

  std::size_t most_;
  std::vector<bool> counts_;
  std::int64_t floor_us_ = INT64_MIN;  // of those kept, once there are `most_`
  std::vector<Kept> heap_;             // the least slow first
};

}  // namespace rt
