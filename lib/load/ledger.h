// The ledger: what each connection must have received, and did, across its reconnects.
//
// A connection follows one topic, whose events count 1, 2, 3, ... The usual case (the next number
// arrives) costs twelve bytes of state and one comparison. What is missing in between is kept
// apart, as ranges, only for connections that miss something.
//
//   duplicate  arrived before, or is part of the state the subscription began with
//   reorder    arrived after a later one of its topic; it is then no longer missing
//   lost       due, and never arrived
//
// Pure; one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "load/publication.h"

namespace rt {

// What the first delivery of a connection is held against.
enum class Baseline : std::uint8_t {
  nothing,  // subscribed before anything was published: everything is due
  state,    // the stream begins with the present state, and everything after that is due
  first,    // no telling what went before: everything after the first arrival is due
};

enum class Arrived : std::uint8_t { first, reorder, duplicate };

class Ledger {
 public:
  // A connection's slot in this ledger is 0 .. connections-1.
  explicit Ledger(std::size_t connections);

  // The stream of a connection that had none before is open. For one that had, only this counts:
  // since when it waits for a first event. at_ms: of the clock of Publication::acknowledge().
  void opened(std::size_t slot, Baseline baseline, std::uint32_t at_ms = 0);
  // The subscriber of this slot leaves: what it had seen up to now was due to it, nothing after.
  // The next opened() begins anew.
  void retire(std::size_t slot);
  // The subscriber of this slot goes on, but not from where it was: if the state comes next, it is
  // what counts from there; if an event does, everything since the last one seen is due as ever.
  void expect_state(std::size_t slot);
  // The state as of `sequence` arrived (an `initial` event). Returns how many events it skips that
  // the connection has not seen; they are missing from now on (0 for a first subscription).
  std::uint32_t state(std::size_t slot, std::uint32_t sequence);
  // An event arrived. With Arrived::first, skipped is how many before it are missing now.
  struct Verdict {
    Arrived arrived = Arrived::first;
    std::uint32_t skipped = 0;
  };
  Verdict deliver(std::size_t slot, std::uint32_t sequence);

  bool is_open(std::size_t slot) const { return entries_[slot].open; }
  std::uint32_t last(std::size_t slot) const { return entries_[slot].last; }

  // At the end of the run, in two steps, so that what one connection saw is due to all: first note
  // for every ledger, then settle for every ledger. topic: of the connection in that slot.
  void note_seen(std::size_t slot, std::uint32_t topic, Publication& publication) const;
  struct Due {
    std::uint64_t expected = 0;
    std::uint64_t lost = 0;
    std::uint32_t first_lost = 0;  // sequence; 0: none
  };
  // Adds to due[phase]. Connections that never had a stream are due nothing.
  void settle(std::size_t slot, std::uint32_t topic, const Publication& publication,
              std::vector<Due>& due) const;

  // Nothing has arrived, though events of that topic were taken long after the stream was open:
  // what counts from the first arrival on counts nothing for whoever hears nothing.
  bool is_deaf(std::size_t slot, std::uint32_t topic, const Publication& publication) const;

  // Gaps beyond what can be kept. They are merged with the one before, so that what arrived in
  // between counts as lost: figures of such a run are a bound. 0 in any sane one.
  std::uint64_t overflowed() const { return overflowed_; }

 private:
  struct Entry {
    std::uint32_t base = 0;  // due is what comes after this
    std::uint32_t last = 0;  // the highest seen
    bool open = false;
    bool awaits_first = false;  // Baseline::first, and nothing arrived
    bool awaits_state = false;  // Baseline::state, and no state arrived
  };

 public:
  static constexpr std::size_t kConnectionBytes = sizeof(Entry);

 private:
  struct Range {
    std::uint32_t from = 0;  // both inclusive
    std::uint32_t to = 0;
  };
  // Of all connections together: 32 MiB of holes describe a broken stream well enough.
  static constexpr std::size_t kRangesMax = 4'000'000;

  // A subscriber that left.
  struct Life {
    Entry entry;
    std::vector<Range> missing;
  };
  static void note_seen_by(const Life& life, std::uint32_t topic, Publication& publication);
  static void settle_one(const Entry& entry, const std::vector<Range>& missing, std::uint32_t upto,
                         std::uint32_t topic, const Publication& publication,
                         std::vector<Due>& due);
  void miss(std::size_t slot, std::uint32_t from, std::uint32_t to);
  bool fill(std::size_t slot, std::uint32_t sequence);
  static std::vector<Range>::iterator holding(std::vector<Range>& ranges, std::uint32_t sequence);
  bool is_missing(std::size_t slot, std::uint32_t sequence) const;

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> waits_since_ms_;  // by slot; empty until a Baseline::first
  std::unordered_map<std::uint32_t, std::vector<Range>> missing_;
  std::size_t ranges_ = 0;  // in missing_
  // By slot. As many as leavings were asked for: 50 bytes each.
  std::unordered_map<std::uint32_t, std::vector<Life>> lives_;
  std::uint64_t overflowed_ = 0;
};

}  // namespace rt
