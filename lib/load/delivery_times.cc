#include "load/delivery_times.h"

#include <algorithm>
#include <utility>

#include "base/result.h"

namespace rt {

DeliveryTimes::DeliveryTimes(std::size_t phases, bool by_commit, std::size_t live,
                             WorstCases* worst, Slowest* slowest)
    : by_commit_(by_commit), phases_(phases), live_(live), worst_(worst), slowest_(slowest) {}

void DeliveryTimes::learn(std::span<const Commit> commits) {
  commits_.insert(commits_.end(), commits.begin(), commits.end());
  if (commits_.size() <= kCommitsMax + kCommitsMax / 4) return;
  const auto surplus = static_cast<std::ptrdiff_t>(commits_.size() - kCommitsMax);
  commits_.erase(commits_.begin(), commits_.begin() + surplus);
  last_found_ = 0;
}

DeliveryTimes::Found DeliveryTimes::find(std::uint64_t lsn, std::int64_t& unix_us) {
  if (commits_.empty() || lsn > commits_.back().lsn) return Found::not_yet;
  // Deliveries of one commit come together, and commits come in order.
  if (commits_[last_found_].lsn != lsn) {
    const auto at = std::lower_bound(
        commits_.begin(), commits_.end(), lsn,
        [](const Commit& commit, std::uint64_t value) { return commit.lsn < value; });
    if (at->lsn != lsn) return Found::never;
    last_found_ = static_cast<std::size_t>(at - commits_.begin());
  }
  unix_us = commits_[last_found_].unix_us;
  return Found::yes;
}

void DeliveryTimes::record(const Waiting& taken, std::int64_t us, std::int64_t committed_unix_us) {
  const std::uint32_t phase = taken.delivery.bucket;
  phases_[phase].delivery.record(us);
  if (phase >= live_) return;
  second_.record(us);
  if (worst_ != nullptr) worst_->record(phase, taken.delivery.subscription, us);
  if (slowest_ != nullptr) {
    slowest_->record(taken.delivery, us, committed_unix_us, taken.wall_minus_mono_ns);
  }
}

void DeliveryTimes::take(const Delivery& delivery, std::int64_t wall_minus_mono_ns) {
  const std::int64_t intended_us = (delivery.received_ns - delivery.intended_ns) / 1'000;
  Phase& phase = phases_[delivery.bucket];
  phase.intended.record(intended_us);
  const Waiting taken{delivery, wall_minus_mono_ns};
  if (delivery.stamp_unix_ns != 0) {
    phase.to_parse.record((taken.received_unix_ns() - delivery.stamp_unix_ns) / 1'000);
  }
  if (!by_commit_) {
    record(taken, intended_us, 0);
    return;
  }
  if (delivery.lsn == 0 || waiting_.size() >= kWaitingMax) {
    ++phase.untimed;
    return;
  }
  waiting_.push_back(taken);
}

void DeliveryTimes::resolve() {
  // Mostly in order of LSN, so what cannot be resolved yet is at the end; the rest stays, in order.
  std::size_t kept = 0;
  for (const Waiting& waiting : waiting_) {
    std::int64_t unix_us = 0;
    const Delivery& delivery = waiting.delivery;
    switch (find(delivery.lsn, unix_us)) {
      case Found::yes:
        record(waiting, waiting.received_unix_ns() / 1'000 - unix_us, unix_us);
        if (delivery.stamp_unix_ns != 0) {
          phases_[delivery.bucket].to_wire.record(delivery.stamp_unix_ns / 1'000 - unix_us);
        }
        break;
      case Found::not_yet:
        waiting_[kept++] = waiting;
        break;
      case Found::never:
        ++phases_[delivery.bucket].untimed;
        break;
    }
  }
  waiting_.resize(kept);
}

void DeliveryTimes::finish() {
  resolve();
  for (const Waiting& waiting : waiting_) ++phases_[waiting.delivery.bucket].untimed;
  waiting_.clear();
}

Histogram DeliveryTimes::take_second() {
  return std::exchange(second_, Histogram());
}

}  // namespace rt
