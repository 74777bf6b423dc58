// What subscribers say that they have seen when they come back, and what is due to them for it: the
// truth, nothing, or something that no server can take at its word.
#include <utility>

#include "base/position.h"
#include "load/shard_events.h"

namespace rt {
namespace {

// A terabyte of WAL ahead of anything that a server may have seen from elsewhere.
constexpr std::uint64_t kFutureBytes = std::uint64_t{1} << 40;
constexpr std::string_view kGarbage = "no-position-of-any-stream";

}  // namespace

// The Last-Event-ID of the request that follows; empty: none.
std::string_view Shard::claim_id(Slot& slot) {
  using Claim = ReconnectSpec::Claim;
  const std::string_view seen = slot.stream.last_event_id();
  slot.claims_else = false;
  if (seen.empty() || plan_.reconnect.claim == Claim::truth) return seen;
  slot.claims_else = true;
  const std::optional<Position> position = Position::parse(seen);
  switch (plan_.reconnect.claim) {
    case Claim::truth:
    case Claim::nothing:
      break;
    case Claim::garbage:
      return kGarbage;
    case Claim::future:
      claim_ = Position{position.value_or(Position{}).lsn + kFutureBytes, 0}.text();
      return claim_;
    case Claim::stale: {
      const auto older = position ? recent_.before(*position, plan_.reconnect.stale_by)
                                  : std::optional<Position>();
      slot.claims_else = older.has_value();
      if (!older) return seen;
      claim_ = older->text();
      return claim_;
    }
  }
  return {};
}

// The stream of a subscriber that did not say the truth is open again.
void Shard::expect_answer(std::size_t number) {
  Slot& slot = connections_[number];
  repeats_.erase(static_cast<std::uint32_t>(number));
  if (plan_.reconnect.claim == ReconnectSpec::Claim::stale) {
    // Exactly what followed the older position: what was seen already, and then the rest.
    repeats_[static_cast<std::uint32_t>(number)] = 0;
    return;
  }
  if (!plan_.sends_state) return;
  // A server that cannot go on says so, and sends the present state; what the state skips is
  // nobody's loss.
  ledger_.expect_state(number);
  slot.awaits_state = plan_.first_is_state;
}

// The server began anew although it was asked to go on: a signalled gap, if anything is missing.
void Shard::Events::begin_anew() {
  if (shard.repeats_.erase(static_cast<std::uint32_t>(number)) != 0) {
    shard.ledger_.expect_state(number);
  }
  ++shard.counts_.resume.gaps_signalled;
}

// True when the event is one that was asked for again.
bool Shard::Events::is_repeat(const Ledger::Verdict& verdict, std::uint32_t sequence) {
  const auto found = shard.repeats_.find(static_cast<std::uint32_t>(number));
  if (found == shard.repeats_.end()) return false;
  const std::uint32_t before = std::exchange(found->second, sequence);
  const bool follows = before == 0 || sequence == before + 1;
  if (verdict.arrived == Arrived::first) {
    // The repeats have to end where the news begin.
    if (!follows) ++shard.counts_.resume.gaps_silent;
    shard.repeats_.erase(found);
    return false;
  }
  if (before != 0 && sequence <= before) return false;  // asked for once, not twice
  if (!follows) ++shard.counts_.resume.gaps_silent;
  return true;
}

}  // namespace rt
