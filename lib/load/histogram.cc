#include "load/histogram.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

namespace rt {

// calloc, not new: the kernel hands out zero pages, and those never written cost nothing.
Histogram::Slots Histogram::zeroed() {
  Slots slots(static_cast<std::uint64_t*>(std::calloc(kSlots, sizeof(std::uint64_t))));
  RT_CHECK(slots != nullptr);
  return slots;
}

Histogram::Histogram() : slots_(zeroed()) {}

Histogram::Histogram(const Histogram& other) : slots_(zeroed()) {
  add(other);
}

Histogram& Histogram::operator=(const Histogram& other) {
  if (this != &other) *this = Histogram(other);
  return *this;
}

void Histogram::add(const Histogram& other) {
  if (other.empty()) return;
  const std::size_t first = slot_of(std::clamp(other.min_us_, kMinUs, kMaxUs));
  const std::size_t last = slot_of(std::clamp(other.max_us_, kMinUs, kMaxUs));
  for (std::size_t slot = first; slot <= last; ++slot) {
    if (other.slots_[slot] != 0)
      slots_[slot] += other.slots_[slot];  // leave unused pages untouched
  }
  count_ += other.count_;
  negatives_ += other.negatives_;
  clamped_ += other.clamped_;
  sum_us_ += other.sum_us_;
  min_us_ = std::min(min_us_, other.min_us_);
  max_us_ = std::max(max_us_, other.max_us_);
}

double Histogram::mean_us() const {
  return empty() ? 0.0 : static_cast<double>(sum_us_) / static_cast<double>(count_);
}

double Histogram::percentile_us(double quantile, std::uint64_t missing) const {
  const std::uint64_t total = count_ + missing;
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  // The tiny subtraction keeps 0.95 * 100 = 95.00000000000001 at rank 95.
  const double exact = quantile * static_cast<double>(total);
  const auto rank = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(exact - 1e-9 * static_cast<double>(total))));
  if (rank > count_) return std::numeric_limits<double>::infinity();
  std::uint64_t seen = 0;
  for (std::size_t slot = slot_of(std::clamp(min_us_, kMinUs, kMaxUs)); slot < kSlots; ++slot) {
    seen += slots_[slot];
    if (seen >= rank) {
      const std::int64_t top = std::clamp(max_us_, kMinUs, kMaxUs);
      return static_cast<double>(std::min(highest_of(slot), top));
    }
  }
  return static_cast<double>(kMaxUs);
}

std::uint64_t Histogram::count_above(std::int64_t us) const {
  if (empty() || us >= max_us_) return 0;
  std::uint64_t above = 0;
  const std::size_t last = slot_of(std::clamp(max_us_, kMinUs, kMaxUs));
  for (std::size_t slot = slot_of(std::clamp<std::int64_t>(us, 0, kMaxUs)); slot <= last; ++slot) {
    if (lowest_of(slot) > us) above += slots_[slot];
  }
  return above;
}

std::int64_t Histogram::lowest_of(std::size_t slot) {
  if (slot < 2048) return static_cast<std::int64_t>(slot);
  const std::size_t shift = (slot >> 10) - 1;
  return static_cast<std::int64_t>((slot - (shift << 10)) << shift);
}

std::int64_t Histogram::highest_of(std::size_t slot) {
  return lowest_of(slot + 1) - 1;
}

std::int64_t Histogram::quantisation_us(std::int64_t us) {
  const std::size_t slot = slot_of(std::clamp(us, kMinUs, kMaxUs));
  return highest_of(slot) - lowest_of(slot);
}

Histogram::Sparse Histogram::sparse() const {
  Sparse out;
  for (std::size_t slot = 0; slot < kSlots && !empty(); ++slot) {
    if (slots_[slot] != 0) out.pairs.push_back({slot, slots_[slot]});
  }
  out.negatives = negatives_;
  out.clamped = clamped_;
  out.sum_us = sum_us_;
  out.min_us = min_us();
  out.max_us = max_us();
  return out;
}

Result<Histogram> Histogram::from_sparse(const Sparse& sparse) {
  Histogram out;
  const auto refuse = [](std::string why) {
    return fail(Code::usage, "cannot read histogram: " + std::move(why));
  };
  for (const Sparse::Pair& pair : sparse.pairs) {
    if (pair.slot >= kSlots)
      return refuse(fmt::format("slot {} is not below {}", pair.slot, kSlots));
    if (out.slots_[pair.slot] != 0 || pair.count == 0) {
      return refuse(fmt::format("slot {} is doubled or empty", pair.slot));
    }
    out.slots_[pair.slot] = pair.count;
    out.count_ += pair.count;
  }
  if (sparse.negatives > out.count_ || sparse.clamped > out.count_) {
    return refuse("more values out of range than values");
  }
  if (out.empty()) return out;
  const auto slot_in_range = [](std::int64_t us) {
    return slot_of(std::clamp(us, kMinUs, kMaxUs));
  };
  if (out.slots_[slot_in_range(sparse.min_us)] == 0 ||
      out.slots_[slot_in_range(sparse.max_us)] == 0 || sparse.min_us > sparse.max_us) {
    return refuse("the extremes do not match the slots");
  }
  for (const Sparse::Pair& pair : sparse.pairs) {
    if (pair.slot < slot_in_range(sparse.min_us) || pair.slot > slot_in_range(sparse.max_us)) {
      return refuse(fmt::format("slot {} lies outside the extremes", pair.slot));
    }
  }
  out.negatives_ = sparse.negatives;
  out.clamped_ = sparse.clamped;
  out.sum_us_ = sparse.sum_us;
  out.min_us_ = sparse.min_us;
  out.max_us_ = sparse.max_us;
  return out;
}

bool Histogram::operator==(const Histogram& other) const {
  return count_ == other.count_ && negatives_ == other.negatives_ && clamped_ == other.clamped_ &&
         sum_us_ == other.sum_us_ && min_us() == other.min_us() && max_us() == other.max_us() &&
         std::memcmp(slots_.get(), other.slots_.get(), kSlots * sizeof(std::uint64_t)) == 0;
}

}  // namespace rt
