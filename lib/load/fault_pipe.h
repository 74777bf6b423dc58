// One connection through the fault proxy: what waits in it, and what the faults at work make of
// what the target sends. Sans-IO: told the time, it says when which bytes are due. One thread.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "load/fault_frames.h"
#include "load/scenario_behaviour.h"

namespace rt {

// A fault that works on this connection now.
struct FaultAtWork {
  const FaultSpec* spec = nullptr;
  Instant end{};
};

class FaultPipe {
 public:
  // watches_events: faults of the scenario repeat or cut events, so their borders must be known.
  // They cannot be where bytes are encrypted.
  FaultPipe(std::uint64_t seed, bool watches_events)
      : random_(seed), watches_events_(watches_events) {}

  // Bytes from the target.
  void take(std::string_view bytes, std::span<const FaultAtWork> faults, Instant now);
  // Cut the connection inside the next event; if events are not watched, inside the bytes that are
  // read next.
  void cut_in_event() { cuts_ = true; }
  // What is held until enough has gathered is due now: the fault is over.
  void let_go(Instant now);

  // The bytes that are due, "" if none are; take_due() after they were sent.
  std::string_view due(Instant now) const;
  void sent(std::size_t bytes);
  // When the next are; Instant::max(): nothing waits.
  Instant next_due() const;
  std::size_t waiting() const { return waiting_ + gathered_.size(); }
  // Everything that was due before the cut is sent: close it.
  bool ends_here() const { return was_cut_ && pieces_.empty(); }

 private:
  struct Piece {
    Instant at;
    std::string bytes;
  };
  void pass(std::string_view bytes, std::span<const FaultAtWork> faults, Instant now);
  void put(std::string_view bytes, Instant at);

  Random random_;
  bool watches_events_;
  bool cuts_ = false;
  bool was_cut_ = false;
  FaultFrames frames_;
  std::deque<Piece> pieces_;  // by time
  std::size_t front_sent_ = 0;
  std::size_t waiting_ = 0;
  std::string gathered_;  // by a buffering proxy
  Instant free_at_{};     // of the bandwidth
};

}  // namespace rt
