// What a shard is told, and what it tells. Small values that travel through bounded rings.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"
#include "load/scenario_behaviour.h"

namespace rt {

// More phases than anyone writes down; each costs every shard a counter.
inline constexpr std::size_t kPhasesMax = 16;
// Deliveries are told apart by phase and cohort; those that came by way of a resume have one more.
inline constexpr std::size_t kBucketsMax = kPhasesMax * (1 + kCohortsMax) + 1;

// Control to shard.
struct ShardOrder {
  enum class Kind : std::uint8_t {
    ramp,        // open the connections [from, to), each when its schedule says
    publishing,  // from now on, what a new subscriber missed before is not known to be nothing
    measuring,   // a measured phase begins: the lag of the loop counts
    resting,     // what follows is not measured
    cohort,      // cohort number `from` begins to behave
    storm,       // storm number `from` begins at `begin`
    census,      // note who is held: the last measured phase has ended
    stop,        // close everything and end
  };
  Kind kind = Kind::stop;
  std::uint64_t from = 0;  // ramp: connection numbers over all shards
  std::uint64_t to = 0;
  std::size_t phase = 0;  // ramp: whose schedule
  Instant begin{};        // ramp: instant 0 of the schedule
};

// Shard to control: one delivery that is due and arrived for the first time.
struct Delivery {
  std::uint64_t lsn = 0;         // of its commit, from the event id; 0: the id is not a position
  std::int64_t received_ns = 0;  // monotonic clock, right after the read that brought its last byte
  std::int64_t intended_ns = 0;  // monotonic clock
  std::int64_t stamp_unix_ns =
      0;                     // when the kernel took the read's last byte (wall clock); 0: unknown
  std::uint32_t bucket = 0;  // phase in which it was due to be published, and cohort
  std::uint32_t subscription = 0;  // number, see Subscriptions
  std::uint32_t sequence = 0;      // of its topic
};

// Shard to control, every kCanary: where it stands. Supersedes the one before.
struct ShardStatus {
  std::uint64_t tried = 0;     // connections whose turn has come
  std::uint64_t held = 0;      // open and answered now
  std::uint64_t gave_up = 0;   // will not be tried again
  std::uint64_t received = 0;  // deliveries, first arrivals
  std::uint64_t comments = 0;
  std::int64_t cpu_ns = 0;  // of the thread since it began
  Instant at{};
};

// How often a shard reports and measures the lag of its own loop.
inline constexpr Duration kCanary = std::chrono::milliseconds(100);

}  // namespace rt
