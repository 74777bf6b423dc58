// One connection of a shard. Private to the shard's source files.
#pragma once

#include "load/shard.h"

namespace rt {

// One read takes what a socket's receive buffer usually holds.
inline constexpr std::size_t kReadBytes = 64 * 1024;
// Attempts under way at once, for one shard: beyond this a target's accept queue only grows, and
// what waits there measures the queue.
inline constexpr std::size_t kPendingMax = 256;
// No answer in that time is an answer.
inline constexpr Duration kConnectTimeout = std::chrono::seconds(30);

struct Shard::Slot {
  StreamConnection stream;
  Instant began{};  // of the attempt under way; then of the loss being mended
  Fd socket;
  std::uint32_t generation = 0;  // counts sockets; makes an old one's events recognisable
  std::uint32_t heard_ms = 0;    // last sign of life, since the shard began; 0: none
  std::uint32_t retry_ms = 0;    // what the server asked for; 0: nothing
  std::uint16_t attempts = 0;    // failed in a row
  std::uint16_t life = 0;        // how many subscribers were here before (churn)
  std::uint8_t cohort = 0;       // 0: healthy; else number in the scenario, from 1
  ConnectFailure failure = ConnectFailure::refused;
  bool connecting : 1 = false;  // until the request is sent
  bool pending : 1 = false;     // until the head is accepted
  bool was_tried : 1 = false;
  bool was_held : 1 = false;
  bool has_failed : 1 = false;
  bool gave_up : 1 = false;
  bool resuming : 1 = false;  // was held; this attempt or stream mends a loss
  bool had_event : 1 = false;
  bool watched : 1 = false;       // known to the poller
  bool resumed_now : 1 = false;   // no delivery since the stream was resumed
  bool awaits_state : 1 = false;  // the next event is the state, not a delivery
  bool absent : 1 = false;        // by plan: it left, or is away for a while
  bool holds_back : 1 = false;    // does not read now
  bool takes_now : 1 = false;     // what waited for its delay is read
  bool claims_else : 1 = false;   // the last request said something else than what was seen
  bool streams_at_end : 1 = false;
};

}  // namespace rt
