// A log-linear histogram of latencies: the one layout every figure of a run is kept in.
//
// Values are microseconds. Up to 2,047 us each value has its own slot; above that each power of two
// is split into 1,024 slots, so a slot is never wider than 1/1024 of its value: three significant
// digits from 1 us to 1 h. The layout is that of HdrHistogram with 3 digits. Two histograms are
// merged by adding counts, which is exact and does not depend on order or on how the work was
// split.
//
// One thread at a time. 23,552 slots of 8 bytes (184 KiB of address space); pages that no value
// falls on are never touched, so a typical latency histogram costs 16 to 40 KiB of memory.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <vector>

#include "base/result.h"

namespace rt {

class Histogram {
 public:
  static constexpr std::int64_t kMinUs = 1;
  static constexpr std::int64_t kMaxUs = 3'600'000'000;  // 1 h
  static constexpr std::size_t kSlots = 23'552;          // slot_of(kMaxUs) < kSlots <= 23 * 1024

  Histogram();
  Histogram(const Histogram& other);
  Histogram& operator=(const Histogram& other);
  Histogram(Histogram&& other) noexcept = default;  // the moved-from one may only be assigned to
  Histogram& operator=(Histogram&& other) noexcept = default;

  // Takes any value and drops none: below 1 us counts as 1 us (a negative one is counted as such
  // too), above 1 h counts as 1 h and as clamped. A few nanoseconds, no allocation, no
  // data-dependent branch.
  void record(std::int64_t us) {
    const std::int64_t in_range = std::clamp(us, kMinUs, kMaxUs);
    ++slots_[slot_of(in_range)];
    ++count_;
    sum_us_ += in_range;
    negatives_ += us < 0 ? 1 : 0;
    clamped_ += us > kMaxUs ? 1 : 0;
    min_us_ = std::min(min_us_, us);
    max_us_ = std::max(max_us_, us);
  }

  // Adds the counts of another histogram.
  void add(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::uint64_t negatives() const { return negatives_; }  // values below 0, all of them in count()
  std::uint64_t clamped() const { return clamped_; }  // values above 1 h, all of them in count()
  bool empty() const { return count_ == 0; }
  // Exact extremes as recorded, unclamped (a negative minimum stays visible). 0 when empty.
  std::int64_t min_us() const { return empty() ? 0 : min_us_; }
  std::int64_t max_us() const { return empty() ? 0 : max_us_; }
  double mean_us() const;  // of the values as counted, 0 when empty

  // The smallest value v such that at least quantile * (count() + missing) of all values are <= v,
  // where `missing` values never arrived and count as infinite. Reported as the highest value its
  // slot can hold (never less than the truth, at most quantisation_us() more). +inf when the rank
  // falls on a missing value, NaN when there is nothing at all. 0 < quantile <= 1.
  double percentile_us(double quantile, std::uint64_t missing = 0) const;
  // How many values lie above `us` (whole slots: a slot is above if its lowest value is).
  std::uint64_t count_above(std::int64_t us) const;

  // The width of the slot that holds `us`, less one: the most a reported value exceeds the true
  // one.
  static std::int64_t quantisation_us(std::int64_t us);

  // Slot arithmetic; `us` within [0, kMaxUs].
  static std::size_t slot_of(std::int64_t us) {
    const auto value = static_cast<std::uint64_t>(us);
    const auto shift = static_cast<unsigned>(std::bit_width(value | 2047)) - 11;
    return (std::size_t{shift} << 10) + static_cast<std::size_t>(value >> shift);
  }
  static std::int64_t lowest_of(std::size_t slot);
  static std::int64_t highest_of(std::size_t slot);

  // What a file needs to carry a histogram: the slots in use, ascending, and the exact sums.
  struct Sparse {
    struct Pair {
      std::size_t slot;
      std::uint64_t count;
    };
    std::vector<Pair> pairs;
    std::uint64_t negatives = 0;
    std::uint64_t clamped = 0;
    std::int64_t sum_us = 0;
    std::int64_t min_us = 0;
    std::int64_t max_us = 0;
  };
  Sparse sparse() const;
  // Code::usage when slots are out of range, out of order, empty, or do not fit the sums.
  static Result<Histogram> from_sparse(const Sparse& sparse);

  bool operator==(const Histogram& other) const;

 private:
  struct Free {
    void operator()(std::uint64_t* memory) const { std::free(memory); }
  };
  using Slots = std::unique_ptr<std::uint64_t[], Free>;
  static Slots zeroed();

  Slots slots_;
  std::uint64_t count_ = 0;
  std::uint64_t negatives_ = 0;
  std::uint64_t clamped_ = 0;
  std::int64_t sum_us_ = 0;
  std::int64_t min_us_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t max_us_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace rt
