#include "load/shard.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "io/descriptors.h"
#include "load/shard_carrier.h"
#include "load/shard_slot.h"
#include "load/thread_use.h"

namespace rt {
namespace {

constexpr std::uint64_t kWakeToken = ~std::uint64_t{0};
// 16,384 deliveries in 20 ms (how often control takes them) are 800,000 a second for one shard,
// several times what a core can receive.
constexpr std::size_t kDeliveryRing = 16'384;
constexpr std::size_t kOrderRing = 256;  // 16 phases, five orders each; 107 storms and cohorts
// 32 MiB, for those who claim to have seen less than they did. Twice the most they may be behind,
// so that who was away for a while is still found.
constexpr std::size_t kRecentPositions = 2 * ReconnectSpec::kStaleMax;
constexpr std::size_t kStatusRing = 16;  // 1.6 s of canaries
// Should control stand still, so many deliveries wait here (32 MiB); more cannot be timed, and say
// so.
constexpr std::size_t kSpillMax = 1'000'000;

}  // namespace

std::size_t Shard::connection_bytes(std::uint32_t topics) {
  static_assert(sizeof(Slot) + Ledger::kConnectionBytes <= 128, "400,000 idle connections");
  const std::size_t listed = topics == 1 ? 0 : topics * sizeof(std::uint32_t);
  return sizeof(Slot) + topics * Ledger::kConnectionBytes + listed;
}

Result<std::unique_ptr<Shard>> Shard::create(const ShardPlan& plan, unsigned number,
                                             const Clock& clock) {
  io::Wakeup wakeup = RT_TRY(io::Wakeup::create());
  return std::unique_ptr<Shard>(new Shard(plan, number, clock, std::move(wakeup)));
}

Shard::Shard(const ShardPlan& plan, unsigned number, const Clock& clock, io::Wakeup wakeup)
    : plan_(plan),
      number_(number),
      slots_(slots_of(plan.connections, plan.shards, number)),
      clock_(clock),
      wakeup_(std::move(wakeup)),
      orders_(kOrderRing),
      deliveries_(kDeliveryRing),
      statuses_(kStatusRing),
      connections_(slots_),
      ledger_(slots_ * plan.topics_each),
      buffer_(std::make_unique<char[]>(kReadBytes)),
      recent_(plan.reconnect.claim == ReconnectSpec::Claim::stale ? kRecentPositions : 0) {
  counts_.connections.asked = slots_;
  if (plan.checks_content) counts_.integrity.corrupt = 0;
  list_topics();
  for (std::size_t slot = 0; slot < slots_; ++slot) {
    if (!plan.cohorts.empty()) connections_[slot].cohort = plan.cohort_of(number_of(slot));
  }
  if (!plan.http2 && plan.tls == nullptr) return;
  const std::size_t carriers = (slots_ + plan.streams - 1) / plan.streams;
  for (std::size_t i = 0; i < carriers; ++i) {
    carriers_.push_back(std::make_unique<Carrier>(*this, i));
  }
}

Shard::~Shard() = default;

bool Shard::order(const ShardOrder& order) {
  ShardOrder copy = order;
  const bool taken = orders_.push(std::move(copy));
  wakeup_.ring();
  return taken;
}

Result<void> Shard::begin() {
  const std::array keep{wakeup_.fd()};
  RT_CHECKED(io::own_descriptor_table(keep));
  poller_ = RT_TRY(io::Poller::create());
  return poller_->watch(wakeup_.fd(), kWakeToken, io::Interest::read);
}

void Shard::run() {
  ::prctl(PR_SET_TIMERSLACK, 1'000UL);  // ns: sleeps end when asked, not up to 50 us later
  if (const Result<void> begun = begin(); !begun) {
    counts_.fault = begun.error().text;
    stopped_ = true;
  }
  began_ = clock_.now();
  canary_at_ = began_ + kCanary;
  while (!stopped_) turn();
  census();
  carriers_.clear();  // their sockets, like those of slots, belong to this thread's table
  for (Slot& slot : connections_) {
    slot.streams_at_end = slot.stream.is_streaming();
    close(slot);
  }
  flush_spill();
  poller_.reset();
}

void Shard::turn() {
  std::array<io::Ready, io::Poller::kBatchMax> events;
  // A carrier may bring a hundred subscribers' events: with few of them in a turn, what else is due
  // is not kept waiting.
  constexpr std::size_t kCarriersPerTurn = 32;
  const std::size_t most = carriers_.empty() ? events.size() : kCarriersPerTurn;
  Instant now = clock_.now();
  const std::size_t count = poller_->wait(std::span(events).first(most), next_deadline(now), now);
  for (std::size_t i = 0; i < count; ++i) {
    const io::Ready& event = events[i];
    if (event.token == kWakeToken) {
      wakeup_.answer();
      follow_orders();
      continue;
    }
    const auto generation = static_cast<std::uint32_t>(event.token >> 32);
    if ((event.token & kCarrierBit) != 0) {
      carrier_ready(static_cast<std::size_t>(event.token & (kCarrierBit - 1)), generation, event);
      continue;
    }
    const auto slot = static_cast<std::size_t>(event.token & 0xFFFFFFFFU);
    // An event for a socket that was closed since, and whose slot has a new one.
    if (connections_[slot].generation != generation) continue;
    ready(slot, event);
  }
  now = clock_.now();
  connect_due(now);
  retry_due(now);
  act_due(now);
  expire(now);
  flush_carriers();
  doomed_.clear();
  canary(now);
  flush_spill();
}

void Shard::follow_orders() {
  ShardOrder order;
  while (orders_.pop(order)) {
    switch (order.kind) {
      case ShardOrder::Kind::ramp: {
        ramp_ = order;
        // The first number of ours that is not below `from`.
        const std::uint64_t stride = plan_.shards;
        const std::uint64_t below = order.from > number_ ? order.from - number_ : 0;
        ramp_next_ = number_ + (below + stride - 1) / stride * stride;
        break;
      }
      case ShardOrder::Kind::publishing:
        publishing_ = true;
        break;
      case ShardOrder::Kind::measuring:
        measuring_ = true;
        break;
      case ShardOrder::Kind::resting:
        measuring_ = false;
        break;
      case ShardOrder::Kind::census:
        census();
        break;
      case ShardOrder::Kind::cohort:
        begin_cohort(static_cast<std::size_t>(order.from), clock_.now());
        break;
      case ShardOrder::Kind::storm:
        begin_storm(static_cast<std::size_t>(order.from), order.begin);
        break;
      case ShardOrder::Kind::stop:
        stopped_ = true;
        break;
    }
  }
}

Instant Shard::next_deadline(Instant now) const {
  Instant deadline = canary_at_;
  if (ramp_next_ < ramp_.to && pending_count_ < kPendingMax) {
    deadline =
        std::min(deadline, ramp_.begin + plan_.ramp_due(ramp_.phase, ramp_next_, ramp_.from));
  }
  if (!retries_.empty()) deadline = std::min(deadline, retries_.top().at);
  if (!acts_.empty()) deadline = std::min(deadline, acts_.top().at);
  return std::max(deadline, now);
}

void Shard::connect_due(Instant now) {
  while (ramp_next_ < ramp_.to && pending_count_ < kPendingMax) {
    if (ramp_.begin + plan_.ramp_due(ramp_.phase, ramp_next_, ramp_.from) > now) return;
    const auto slot = static_cast<std::size_t>(ramp_next_ / plan_.shards);
    ramp_next_ += plan_.shards;
    ++tried_;
    connect(slot, now);
  }
}

void Shard::retry_due(Instant now) {
  while (!retries_.empty() && retries_.top().at <= now && pending_count_ < kPendingMax) {
    const Retry retry = retries_.top();
    retries_.pop();
    if (connections_[retry.slot].generation == retry.generation) connect(retry.slot, now);
  }
}

void Shard::canary(Instant now) {
  if (now < canary_at_) return;
  if (measuring_) {
    counts_.loop_lag.record(
        std::chrono::duration_cast<std::chrono::microseconds>(now - canary_at_).count());
  }
  canary_at_ += kCanary;
  if (canary_at_ <= now) canary_at_ = now + kCanary;  // the lag above says that turns were missed
  ShardStatus status;
  status.tried = tried_;
  status.held = held_;
  status.gave_up = gave_up_;
  status.received = received_;
  status.comments = counts_.integrity.comments;
  status.cpu_ns = thread_cpu_ns();
  status.at = now;
  statuses_.push(std::move(status));  // full: the next one supersedes it
}

void Shard::deliver(const Delivery& delivery) {
  Delivery copy = delivery;
  if (spill_.empty() && deliveries_.push(std::move(copy))) return;
  if (spill_.size() < kSpillMax) {
    spill_.push_back(delivery);
  } else {
    ++counts_.untimed[delivery.bucket];
  }
}

void Shard::flush_spill() {
  if (spill_.empty()) return;
  while (spill_at_ < spill_.size()) {
    Delivery copy = spill_[spill_at_];
    if (!deliveries_.push(std::move(copy))) {
      if (!stopped_) return;
      for (; spill_at_ < spill_.size(); ++spill_at_) ++counts_.untimed[spill_[spill_at_].bucket];
      break;
    }
    ++spill_at_;
  }
  spill_.clear();
  spill_at_ = 0;
}

bool Shard::streams_at_end(std::size_t slot) const {
  return connections_[slot].streams_at_end;
}

// Every connection ends in exactly one class.
void Shard::census() {
  if (counted_) return;
  counted_ = true;
  ConnectionCounts& counts = counts_.connections;
  for (const Slot& slot : connections_) {
    if (slot.stream.is_streaming()) {
      ++counts.held;
    } else if (slot.absent || (slot.was_held && !plan_.is_judged(slot.cohort))) {
      ++counts.absent;
    } else if (slot.was_held) {
      ++counts.dropped;
    } else if (slot.has_failed) {
      counts.count(slot.failure);
    } else if (slot.was_tried) {
      counts.count(ConnectFailure::timed_out);
    } else {
      ++counts.not_tried;
    }
  }
}

}  // namespace rt
