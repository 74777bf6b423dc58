// The part of a shard in which subscribers behave: they leave and are replaced, read slowly or not
// at all, live behind a slow link, go away for a while, or are lost in a storm. All chance is a
// function of (seed, connection, how often).
#include <sys/socket.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "load/lifetimes.h"
#include "load/shard.h"
#include "load/shard_slot.h"

namespace rt {
namespace {

// A slow reader takes what a tenth of a second allows, so that its pace is even; never less than a
// line of an event.
constexpr std::size_t kSlowestRead = 256;

Duration share_of(Duration whole, double part) {
  return Duration(static_cast<std::int64_t>(static_cast<double>(whole.count()) * part));
}

}  // namespace

std::uint8_t ShardPlan::cohort_of(std::uint64_t connection) const {
  double left = Random::of(seed, "cohort", number_in_run(connection)).unit();
  for (std::size_t i = 0; i < cohorts.size(); ++i) {
    left -= cohorts[i].share;
    if (left < 0) return static_cast<std::uint8_t>(i + 1);
  }
  return 0;
}

// nullptr: as everybody, for now.
const CohortSpec* Shard::behaviour(const Slot& slot) const {
  if (slot.cohort == 0 || !behaves_[slot.cohort - 1u]) return nullptr;
  return &plan_.cohorts[slot.cohort - 1u];
}

void Shard::act_due(Instant now) {
  while (!acts_.empty() && acts_.top().at <= now) {
    const Act act = acts_.top();
    acts_.pop();
    perform(act, now);
  }
}

void Shard::perform(const Act& act, Instant now) {
  Slot& slot = connections_[act.slot];
  switch (act.kind) {
    case Act::Kind::leave:
      if (act.stamp == slot.life && !waits_to_leave(act.slot, now)) leave(act.slot, now);
      return;
    case Act::Kind::leave_in_turn:
      if (act.stamp == slot.life) leave(act.slot, now);
      return;
    case Act::Kind::lose:
      lose_on_purpose(act.slot, plan_.reconnect.storms[act.storm], now);
      return;
    case Act::Kind::read_on:
      if (act.stamp == slot.generation) read_on(act.slot);
      return;
    case Act::Kind::stop:
      if (act.stamp != slot.generation || !slot.stream.is_streaming()) return;
      hold_back(act.slot, now + plan_.cohorts[slot.cohort - 1u].stop_for);
      return;
    case Act::Kind::go_away:
      if (act.stamp == slot.generation) go_away(act.slot, now);
      return;
  }
}

// A stream is open.
void Shard::behave(std::size_t number, Instant now) {
  Slot& slot = connections_[number];
  if (plan_.churn.enabled && !slot.resuming) {
    const std::uint64_t chance = plan_.number_in_run(number_of(number)) * 65'536 + slot.life;
    Random random = Random::of(plan_.seed, "lifetime", chance);
    acts_.push({now + draw(plan_.churn.lifetime, random), static_cast<std::uint32_t>(number),
                slot.life, Act::Kind::leave});
  }
  if (slot.cohort != 0) behave_in_cohort(number, now);
}

void Shard::behave_in_cohort(std::size_t number, Instant now) {
  Slot& slot = connections_[number];
  const CohortSpec* const own = behaviour(slot);
  if (own == nullptr || !slot.stream.is_streaming()) return;
  const auto plan = [&](Instant at, Act::Kind kind) {
    acts_.push({at, static_cast<std::uint32_t>(number), slot.generation, kind});
  };
  if (own->stops && !slot.resuming) plan(now + own->stop_after, Act::Kind::stop);
  if (own->every > Duration::zero()) {
    // The first time at any moment of the period, so that they do not all go together.
    const double part =
        slot.resuming
            ? 1.0
            : Random::of(plan_.seed, "background", plan_.number_in_run(number_of(number))).unit();
    plan(now + share_of(own->every - own->off, part), Act::Kind::go_away);
  }
}

void Shard::begin_cohort(std::size_t cohort, Instant now) {
  behaves_[cohort] = true;
  for (std::size_t number = 0; number < slots_; ++number) {
    Slot& slot = connections_[number];
    if (slot.cohort != cohort + 1 || !slot.stream.is_streaming()) continue;
    if (plan_.streams == 1) set_receive_buffer(number, socket_of(number));
    behave_in_cohort(number, now);
  }
}

// Whether one is hit, and when, is known for each connection alone.
void Shard::begin_storm(std::size_t storm, Instant begin) {
  const StormSpec& spec = plan_.reconnect.storms[storm];
  if (spec.how == StormSpec::How::server_restart) return;  // the server does it
  for (std::size_t number = 0; number < slots_; ++number) {
    Random random =
        Random::of(plan_.seed, "storm", plan_.number_in_run(number_of(number)) * 256 + storm);
    if (random.unit() >= spec.share) continue;
    acts_.push({begin + share_of(spec.within, random.unit()), static_cast<std::uint32_t>(number), 0,
                Act::Kind::lose, static_cast<std::uint8_t>(storm)});
  }
}

void Shard::lose_on_purpose(std::size_t number, const StormSpec& storm, Instant now) {
  Slot& slot = connections_[number];
  if (!slot.stream.is_streaming()) return;
  ++counts_.storm_losses;
  if (storm.how == StormSpec::How::rst) {
    const linger at_once{1, 0};
    ::setsockopt(slot.socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  } else if (storm.how == StormSpec::How::silent && slot.socket) {
    // The other side learns nothing: the socket stays, and nobody reads it. At most one a slot and
    // storm, and the descriptor table bounds them.
    poller_->unwatch(slot.socket.get());
    left_open_.push_back(std::move(slot.socket));
  }
  close(slot);
  --held_;
  ++counts_.resume.losses;
  slot.resuming = true;
  slot.began = now;
  if (storm.by_policy) {
    schedule_retry(number, now);
  } else {
    retry_at(number, now);
  }
}

// True when rate_cap gives it a later turn. Those who wait leave one after another.
bool Shard::waits_to_leave(std::size_t number, Instant now) {
  const double cap = plan_.churn.rate_cap_per_s;
  if (cap <= 0) return false;
  const Instant turn = std::max(now, next_leave_);
  next_leave_ = turn + share_of(std::chrono::seconds(1), plan_.shards / cap);
  if (turn == now) return false;
  ++counts_.churn.held_back;
  acts_.push({turn, static_cast<std::uint32_t>(number), connections_[number].life,
              Act::Kind::leave_in_turn});
  return true;
}

// A lifetime is over. What it was owed is settled; who comes now knows nothing of it.
void Shard::leave(std::size_t number, Instant now) {
  Slot& slot = connections_[number];
  ++counts_.churn.left;
  if (slot.stream.is_streaming()) {
    --held_;
  } else if (slot.resuming) {
    --counts_.resume.losses;  // it does not wait for its stream any more
  }
  if (slot.pending) --pending_count_;
  slot.pending = false;
  slot.connecting = false;
  if (slot.gave_up) --gave_up_;
  slot.gave_up = false;
  close(slot);
  slot.stream.forget();
  for (std::uint32_t place = 0; place < plan_.topics_each; ++place) {
    ledger_.retire(entry_of(number, place));
  }
  ++slot.life;
  ++slot.generation;
  slot.resuming = false;
  slot.resumed_now = false;
  slot.had_event = false;
  slot.absent = true;
  slot.attempts = 0;
  slot.began = now;
  if (!plan_.churn.replace) return;
  ++counts_.churn.replaced;
  retry_at(number, now);
}

// Into the background: the connection goes, and comes back later with the last event id.
void Shard::go_away(std::size_t number, Instant now) {
  Slot& slot = connections_[number];
  const CohortSpec* const own = behaviour(slot);
  if (own == nullptr || !slot.stream.is_streaming()) return;
  close(slot);
  --held_;
  ++counts_.resume.losses;
  slot.resuming = true;
  slot.absent = true;
  slot.began = now + own->off;  // being away is its own wish, not time to mend a loss
  retry_at(number, now + own->off);
}

void Shard::hold_back(std::size_t number, Instant until) {
  Slot& slot = connections_[number];
  if (socket_of(number) < 0) return;
  if (!slot.holds_back) poller_->unwatch(socket_of(number));
  slot.holds_back = true;
  acts_.push({until, static_cast<std::uint32_t>(number), slot.generation, Act::Kind::read_on});
}

void Shard::read_on(std::size_t number) {
  Slot& slot = connections_[number];
  if (!slot.holds_back || socket_of(number) < 0) return;
  slot.holds_back = false;
  slot.takes_now = true;
  if (!carriers_.empty()) return read_on(*carriers_[number]);
  const std::uint64_t token =
      static_cast<std::uint64_t>(slot.generation) << 32 | static_cast<std::uint64_t>(number);
  const auto watched = poller_->watch(slot.socket.get(), token, io::Interest::read);
  if (!watched) lost(number, ConnectFailure::memory, watched.error().text);
}

void Shard::set_receive_buffer(std::size_t number, int socket) const {
  const CohortSpec* const own = behaviour(connections_[number]);
  if (own == nullptr || own->receive_buffer == 0) return;
  const int bytes = static_cast<int>(own->receive_buffer);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

// True when a link's delay comes first; it has begun then.
bool Shard::waits_before_reading(std::size_t number, Instant now) {
  Slot& slot = connections_[number];
  const CohortSpec* const own = behaviour(slot);
  if (own == nullptr || own->rtt <= Duration::zero()) return false;
  if (slot.takes_now) {
    slot.takes_now = false;
    return false;
  }
  const std::uint64_t chance = number_of(number) ^ static_cast<std::uint64_t>(received_) << 24;
  const double part = 2 * Random::of(plan_.seed, "link", chance).unit() - 1;
  const Duration delay = share_of(own->rtt, 0.5) + share_of(own->jitter, 0.5 * part);
  hold_back(number, now + std::max(delay, Duration::zero()));
  return true;
}

std::size_t Shard::read_limit(const Slot& slot) const {
  const CohortSpec* const own = behaviour(slot);
  if (own == nullptr || own->bytes_per_s == 0) return kReadBytes;
  return std::clamp<std::size_t>(own->bytes_per_s / 10, kSlowestRead, kReadBytes);
}

void Shard::after_read(std::size_t number, std::size_t bytes, Instant now) {
  Slot& slot = connections_[number];
  const CohortSpec* const own = behaviour(slot);
  if (own == nullptr || own->bytes_per_s == 0 || !slot.stream.is_streaming()) return;
  const double seconds = static_cast<double>(bytes) / own->bytes_per_s;
  hold_back(number, now + share_of(std::chrono::seconds(1), seconds));
}

}  // namespace rt
