#include "load/delivery_times.h"

#include <algorithm>
#include <utility>

#include "base/result.h"

namespace rt {

DeliveryTimes::DeliveryTimes(std::size_t phases, bool by_commit, std::size_t live,
                             WorstCases* worst)
    : by_commit_(by_commit), phases_(phases), live_(live), worst_(worst) {}

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

void DeliveryTimes::record(std::uint32_t phase, std::uint32_t connection, std::int64_t us) {
  phases_[phase].delivery.record(us);
  if (phase >= live_) return;
  second_.record(us);
  if (worst_ != nullptr) worst_->record(phase, connection, us);
}

void DeliveryTimes::take(const Delivery& delivery, std::int64_t wall_minus_mono_ns) {
  const std::int64_t intended_us = (delivery.received_ns - delivery.intended_ns) / 1'000;
  phases_[delivery.bucket].intended.record(intended_us);
  const std::int64_t received_unix_ns = delivery.received_ns + wall_minus_mono_ns;
  if (delivery.stamp_unix_ns != 0) {
    phases_[delivery.bucket].to_parse.record((received_unix_ns - delivery.stamp_unix_ns) / 1'000);
  }
  if (!by_commit_) {
    record(delivery.bucket, delivery.connection, intended_us);
    return;
  }
  if (delivery.lsn == 0 || waiting_.size() >= kWaitingMax) {
    ++phases_[delivery.bucket].untimed;
    return;
  }
  waiting_.push_back({delivery.lsn, received_unix_ns, delivery.stamp_unix_ns, delivery.bucket,
                      delivery.connection});
}

void DeliveryTimes::resolve() {
  // Mostly in order of LSN, so what cannot be resolved yet is at the end; the rest stays, in order.
  std::size_t kept = 0;
  for (const Waiting& waiting : waiting_) {
    std::int64_t unix_us = 0;
    switch (find(waiting.lsn, unix_us)) {
      case Found::yes:
        record(waiting.phase, waiting.connection, waiting.received_unix_ns / 1'000 - unix_us);
        if (waiting.stamp_unix_ns != 0) {
          phases_[waiting.phase].to_wire.record(waiting.stamp_unix_ns / 1'000 - unix_us);
        }
        break;
      case Found::not_yet:
        waiting_[kept++] = waiting;
        break;
      case Found::never:
        ++phases_[waiting.phase].untimed;
        break;
    }
  }
  waiting_.resize(kept);
}

void DeliveryTimes::finish() {
  resolve();
  for (const Waiting& waiting : waiting_) ++phases_[waiting.phase].untimed;
  waiting_.clear();
}

Histogram DeliveryTimes::take_second() {
  return std::exchange(second_, Histogram());
}

}  // namespace rt
