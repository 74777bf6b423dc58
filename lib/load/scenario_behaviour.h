// The part of a scenario that says how subscribers behave and what goes wrong: lifetimes, cohorts,
// reconnecting, storms, faults. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace rt {

// "main+60s": so long after a phase began.
struct Moment {
  std::size_t phase = 0;
  Duration after{};
};

struct DurationSpec {
  enum class Dist : std::uint8_t { fixed, uniform, exponential, lognormal };
  Dist dist = Dist::fixed;
  Duration low{};   // the value; the least; the mean; the median
  Duration high{};  // uniform: the most; lognormal: the 99th percentile
};

// A subscriber leaves when its lifetime is over, and a new one, who knows nothing, takes its place.
struct ChurnSpec {
  bool enabled = false;
  DurationSpec lifetime;
  bool replace = true;
  double rate_cap_per_s = 0;  // leavings a second over all connections; 0: no bound
};

// A share of the connections that behaves unlike the rest, which is called "healthy".
struct CohortSpec {
  std::string name;
  double share = 0;
  std::size_t from_phase = 0;        // until it begins, the cohort is healthy
  std::uint32_t bytes_per_s = 0;     // reads no faster; 0: as fast as it comes
  std::uint32_t receive_buffer = 0;  // of the socket; 0: the system's
  bool stops = false;
  Duration stop_after{};  // since the stream began, or its phase
  Duration stop_for{};
  Duration rtt{};  // what arrives is read half of this later
  Duration jitter{};
  Duration off{};    // goes away for so long,
  Duration every{};  // so often; 0: never

  // It takes its time on purpose, so what it waits for is not the target's doing: its deliveries
  // are told apart, and what it has not read in the end is not lost.
  bool reads_slowly() const { return bytes_per_s != 0 || stops; }
};
// Each costs a set of histograms for each phase; nobody can tell more apart in a report.
inline constexpr std::size_t kCohortsMax = 7;

// How connections are lost all at once.
struct StormSpec {
  enum class How : std::uint8_t { fin, rst, silent, server_restart };
  Moment at;
  double share = 1;
  How how = How::rst;
  Duration within{};
  bool by_policy = true;             // come_back: by the policy, or at once
  std::vector<std::string> command;  // server-restart: what restarts it
};

struct ReconnectSpec {
  bool enabled = true;
  bool honour_retry = true;
  Duration base = std::chrono::seconds(1);
  Duration max = std::chrono::seconds(30);
  double jitter = 1.0;  // share of the delay that is random, 0..1
  // "last_event_id": what a subscriber that comes back says it has seen.
  enum class Claim : std::uint8_t {
    truth,    // "send"
    nothing,  // "omit"
    stale,    // {"stale": {"by": "10k"}}: so many events of the stream less than it saw
    future,   // what nobody can have seen yet
    garbage,  // what is no position
  };
  // A shard remembers the positions of twice as many events, 16 bytes each.
  static constexpr std::uint32_t kStaleMax = 1'000'000;
  Claim claim = Claim::truth;
  std::uint32_t stale_by = 0;
  std::vector<StormSpec> storms;
};

// What the built-in proxy, or a command, does to the way between target and subscribers.
struct FaultSpec {
  enum class Kind : std::uint8_t {
    latency,    // what the target sends arrives `delay` (+- jitter) later
    bandwidth,  // bytes_per_s a connection
    blackhole,  // nothing passes, nothing is lost; new connections stand and are not answered
    stall,      // what the target sends waits, and comes all at once in the end
    buffer,     // held back until `bytes` have gathered
    reset,      // connections are reset
    truncate,   // connections are closed, with mid_event inside an event
    duplicate,  // each event comes twice
    exec,       // a command
  };
  Kind kind = Kind::latency;
  Moment at;
  Duration lasts{};
  double share = 1;  // of the connections
  Duration delay{};
  Duration jitter{};
  std::uint32_t bytes_per_s = 0;
  std::uint32_t bytes = 0;
  bool mid_event = false;
  std::vector<std::string> command;

  bool needs_proxy() const { return kind != Kind::exec; }
};
const char* fault_name(FaultSpec::Kind kind);

}  // namespace rt
