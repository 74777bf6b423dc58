#include "load/ledger.h"

#include <algorithm>
#include <limits>

#include "base/result.h"

namespace rt {

Ledger::Ledger(std::size_t connections) : entries_(connections) {
  static_assert(sizeof(Entry) <= 12, "one for each of 400,000 connections");
}

void Ledger::opened(std::size_t slot, Baseline baseline, std::uint32_t at_ms) {
  Entry& entry = entries_[slot];
  if (baseline == Baseline::first) {
    waits_since_ms_.resize(entries_.size());
    waits_since_ms_[slot] = at_ms;
  }
  if (entry.open) return;
  entry.open = true;
  entry.awaits_first = baseline == Baseline::first;
  entry.awaits_state = baseline == Baseline::state;
}

std::uint32_t Ledger::state(std::size_t slot, std::uint32_t sequence) {
  Entry& entry = entries_[slot];
  if (entry.awaits_state || entry.awaits_first) {
    entry.awaits_state = false;
    entry.awaits_first = false;
    entry.base = sequence;
    entry.last = sequence;
    return 0;
  }
  if (sequence <= entry.last) return 0;
  const std::uint32_t skipped = sequence - entry.last;
  miss(slot, entry.last + 1, sequence);
  entry.last = sequence;
  return skipped;
}

Ledger::Verdict Ledger::deliver(std::size_t slot, std::uint32_t sequence) {
  Entry& entry = entries_[slot];
  entry.awaits_state = false;  // a server that sends changes before the state owes them all
  if (sequence == entry.last + 1 && !entry.awaits_first) {
    entry.last = sequence;
    return {};
  }
  if (entry.awaits_first) {
    entry.awaits_first = false;
    entry.base = sequence - 1;
    entry.last = sequence;
    return {};
  }
  if (sequence > entry.last) {
    const std::uint32_t skipped = sequence - entry.last - 1;
    miss(slot, entry.last + 1, sequence - 1);
    entry.last = sequence;
    return {Arrived::first, skipped};
  }
  return {fill(slot, sequence) ? Arrived::reorder : Arrived::duplicate, 0};
}

void Ledger::miss(std::size_t slot, std::uint32_t from, std::uint32_t to) {
  std::vector<Range>& ranges = missing_[static_cast<std::uint32_t>(slot)];
  if (ranges.empty() || ranges_ < kRangesMax) {
    ranges.push_back({from, to});
    ++ranges_;
    return;
  }
  ++overflowed_;
  ranges.back().to = to;
}

bool Ledger::fill(std::size_t slot, std::uint32_t sequence) {
  const auto found = missing_.find(static_cast<std::uint32_t>(slot));
  if (found == missing_.end()) return false;
  std::vector<Range>& ranges = found->second;
  const auto at = holding(ranges, sequence);
  if (at == ranges.end()) return false;
  if (at->from == at->to) {
    ranges.erase(at);
    --ranges_;
    if (ranges.empty()) missing_.erase(found);
  } else if (sequence == at->from) {
    ++at->from;
  } else if (sequence == at->to) {
    --at->to;
  } else {
    const Range rest{sequence + 1, at->to};
    at->to = sequence - 1;
    ranges.insert(at + 1, rest);
    ++ranges_;
  }
  return true;
}

// The range that holds `sequence`, or the end. Ranges ascend and do not touch.
std::vector<Ledger::Range>::iterator Ledger::holding(std::vector<Range>& ranges,
                                                     std::uint32_t sequence) {
  const auto at =
      std::lower_bound(ranges.begin(), ranges.end(), sequence,
                       [](const Range& range, std::uint32_t value) { return range.to < value; });
  return at != ranges.end() && at->from <= sequence ? at : ranges.end();
}

bool Ledger::is_missing(std::size_t slot, std::uint32_t sequence) const {
  const auto found = missing_.find(static_cast<std::uint32_t>(slot));
  if (found == missing_.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const Range& range) {
    return sequence >= range.from && sequence <= range.to;
  });
}

void Ledger::note_seen_by(const Life& life, std::uint32_t topic, Publication& publication) {
  for (Publication::Doubt& doubt : publication.doubts(topic)) {
    const bool missing =
        std::any_of(life.missing.begin(), life.missing.end(), [&](const Range& range) {
          return doubt.sequence >= range.from && doubt.sequence <= range.to;
        });
    if (doubt.sequence <= life.entry.last && !missing) doubt.seen = true;
  }
}

void Ledger::note_seen(std::size_t slot, std::uint32_t topic, Publication& publication) const {
  if (const auto left = lives_.find(static_cast<std::uint32_t>(slot)); left != lives_.end()) {
    for (const Life& life : left->second) note_seen_by(life, topic, publication);
  }
  const Entry& entry = entries_[slot];
  if (!entry.open) return;
  for (Publication::Doubt& doubt : publication.doubts(topic)) {
    // A state that includes it is proof as well: base counts.
    if (doubt.sequence <= entry.last && !is_missing(slot, doubt.sequence)) doubt.seen = true;
  }
}

namespace {

// How many of (after, upto] are due: all but those in doubt that nobody received.
std::uint64_t count_due(std::uint32_t topic, const Publication& publication, std::uint32_t after,
                        std::uint32_t upto) {
  if (upto <= after) return 0;
  std::uint64_t due = upto - after;
  for (const Publication::Doubt& doubt : publication.doubts(topic)) {
    if (!doubt.seen && doubt.sequence > after && doubt.sequence <= upto) --due;
  }
  return due;
}

}  // namespace

void Ledger::retire(std::size_t slot) {
  Entry& entry = entries_[slot];
  const auto number = static_cast<std::uint32_t>(slot);
  const auto found = missing_.find(number);
  if (entry.open && !entry.awaits_first && entry.last > entry.base) {
    Life life{entry, {}};
    if (found != missing_.end()) life.missing = std::move(found->second);
    lives_[number].push_back(std::move(life));
  }
  if (found != missing_.end()) missing_.erase(found);
  entry = Entry{};
}

void Ledger::expect_state(std::size_t slot) {
  Entry& entry = entries_[slot];
  if (!entry.open || entry.awaits_state) return;
  const std::uint32_t last = entry.last;
  retire(slot);
  entry.base = last;
  entry.last = last;
  entry.open = true;
  entry.awaits_state = true;
}

void Ledger::settle(std::size_t slot, std::uint32_t topic, const Publication& publication,
                    std::vector<Due>& due) const {
  static const std::vector<Range> kNothing;
  RT_CHECK(due.size() == publication.phases());
  const auto number = static_cast<std::uint32_t>(slot);
  if (const auto left = lives_.find(number); left != lives_.end()) {
    for (const Life& life : left->second) {
      settle_one(life.entry, life.missing, life.entry.last, topic, publication, due);
    }
  }
  const Entry& entry = entries_[slot];
  if (!entry.open || entry.awaits_first) return;
  const auto found = missing_.find(number);
  settle_one(entry, found == missing_.end() ? kNothing : found->second,
             std::numeric_limits<std::uint32_t>::max(), topic, publication, due);
}

bool Ledger::is_deaf(std::size_t slot, std::uint32_t topic, const Publication& publication) const {
  // A subscription may take effect a little after its answer's head.
  constexpr std::int32_t kLongMs = 1'000;
  const Entry& entry = entries_[slot];
  if (!entry.open || !entry.awaits_first) return false;
  const auto taken_ms = publication.acknowledged_ms(topic);
  // The difference of two counters that may have gone round.
  return taken_ms && static_cast<std::int32_t>(*taken_ms - waits_since_ms_[slot]) > kLongMs;
}

// What was due of (entry.base, upto], phase by phase.
void Ledger::settle_one(const Entry& entry, const std::vector<Range>& missing, std::uint32_t upto,
                        std::uint32_t topic, const Publication& publication,
                        std::vector<Due>& due) {
  std::uint32_t begin = 0;
  for (std::size_t phase = 0; phase < due.size(); ++phase) {
    const std::uint32_t end = std::min(publication.last_of(topic, phase), upto);
    const std::uint32_t after = std::max(begin, entry.base);
    begin = std::max(begin, end);
    if (end <= after) continue;
    Due& sum = due[phase];
    sum.expected += count_due(topic, publication, after, end);
    const auto lose = [&](std::uint32_t from, std::uint32_t to) {  // (from, to] of this phase
      from = std::max(from, after);
      to = std::min(to, end);
      const std::uint64_t lost = count_due(topic, publication, from, to);
      if (lost == 0) return;
      sum.lost += lost;
      const std::uint32_t first = publication.next_due(topic, from);
      if (sum.first_lost == 0 || first < sum.first_lost) sum.first_lost = first;
    };
    for (const Range& range : missing) lose(range.from - 1, range.to);
    lose(entry.last, end);
  }
}

}  // namespace rt
