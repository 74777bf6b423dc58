#include "pipe/pacer.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace rt {

void LatenessHistogram::add(Duration late) {
  late = std::max(late, Duration::zero());
  max_ = std::max(max_, late);
  ++count_;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(late).count();
  const auto value = static_cast<std::uint32_t>(std::min<std::int64_t>(us, 0xFFFFFFFF));
  // Below 2^kSubBits a bucket is 1 us; above, each power of two has 2^kSubBits buckets.
  const auto bits = static_cast<unsigned>(std::bit_width(value));
  const unsigned shift = bits > kSubBits + 1 ? bits - kSubBits - 1 : 0;
  ++buckets_[(shift << kSubBits) + (value >> shift)];
}

Duration LatenessHistogram::quantile(double quantile) const {
  if (count_ == 0) return Duration::zero();
  const auto rank = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(quantile * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (unsigned i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen < rank) continue;
    const unsigned shift = i < (2u << kSubBits) ? 0 : (i >> kSubBits) - 1;
    const std::uint64_t low = std::uint64_t{i - (shift << kSubBits)} << shift;
    const auto high = std::chrono::microseconds(low + (std::uint64_t{1} << shift));
    return std::min<Duration>(high, max_);
  }
  return max_;
}

Instant Pacer::due(std::int64_t t_us, Instant now) {
  if (!started_) {
    started_ = true;
    clock_.start(now);
    before_us_ = t_us;
  }
  if (restarted_) {
    restarted_ = false;
    before_us_ = t_us;
  }
  if (t_us > before_us_) {
    Duration gap = std::chrono::microseconds(t_us - before_us_);
    if (options_.max_gap) gap = std::min(gap, *options_.max_gap);
    recorded_ += gap;
    before_us_ = t_us;
  }
  return clock_.when(recorded_);
}

void Pacer::set_speed(double speed, Instant now) {
  if (!paced()) continue_from(now);
  clock_.set_speed(speed, now);
}

void Pacer::hurry(Instant now) {
  if (clock_.reading(now) < recorded_) continue_from(now);
}

void Pacer::handed_on(Instant due, Instant now) {
  lateness_.add(now - due);
}

}  // namespace rt
