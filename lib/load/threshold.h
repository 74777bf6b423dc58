// Thresholds: `metric[.stat] op value [* baseline]`, e.g. "delivery.p95 < 300ms", "integrity.lost
// == 0", "connect.fail_ratio < 0.001", "target.bytes_per_connection < 30KB".
//
// Latency metrics (stats min p50 p90 p95 p99 p99.9 max mean count): delivery (database commit, or
// the intended publish instant where there is no database, to parsed), commit_to_client (another
// name for delivery), intended (intended publish instant to parsed), publish, late, connect,
// first_event, resume (stream lost to open again), replay (commit to parsed, of what a resume
// brought), heartbeat_gap (between two signs of life of a stream), wire_to_parse (kernel's receive
// stamp to parsed), commit_to_wire (commit to that stamp), tls (handshake). worst_conn.p95 and
// worst_topic.p95: the highest p95 of delivery that any single connection or topic has.
// `cohort.NAME.` before delivery or intended: of that cohort; "healthy" is the
// rest. `* baseline`: so many times the same figure of the phase named or tagged "baseline", and at
// least 1 ms above it, which two phases of one run differ by anyway. delivery also has ratio
// (received / expected) and rate (received per second). Single figures:
// integrity.{lost,duplicate,reorder,corrupt,undelivered}, connect.fail_ratio, load.achieved_ratio,
// client.{bytes_per_connection,busy}, target.{bytes_per_connection,cpu}. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace rt {

struct Outcome;

enum class Metric : std::uint8_t {
  delivery,
  intended,
  publish,
  late,
  connect,
  first_event,
  resume,
  replay,
  heartbeat_gap,
  commit_to_wire,
  wire_to_parse,
  tls,
  worst_conn,
  worst_topic,
  integrity,
  load,
  client,
  target,
};
// The highest of many figures, each of a connection or topic by itself.
inline bool is_worst(Metric metric) {
  return metric == Metric::worst_conn || metric == Metric::worst_topic;
}
enum class Comparison : std::uint8_t { less, less_equal, greater, greater_equal, equal, not_equal };
enum class Severity : std::uint8_t { fail, warn };
// What a bare figure means; durations are kept in microseconds.
enum class Quantity : std::uint8_t { duration, count, bytes, ratio, rate, cores };

struct Threshold {
  std::string text;  // as written, blanks tidied: "delivery.p95 < 300ms"
  Metric metric = Metric::delivery;
  std::string stat;  // "p95", "lost", ...
  Comparison comparison = Comparison::less;
  double value = 0;
  Quantity quantity = Quantity::duration;
  std::string phase;            // empty: all measured phases together
  std::string cohort;           // empty, or "healthy": connections that are in none
  bool times_baseline = false;  // value is a factor
  Severity severity = Severity::fail;
  bool abort = false;  // end the run as soon as it fails,
  Duration after{};    // but not before so long after its begin
};

// Code::usage, with what was expected, when the text does not follow the grammar.
Result<Threshold> parse_threshold(std::string_view text);

enum class ThresholdState : std::uint8_t { pass, fail, unmeasured };

struct ThresholdResult {
  Threshold threshold;
  double measured = 0;  // in the unit of the threshold; +inf when the rank falls on a lost delivery
  ThresholdState state =
      ThresholdState::unmeasured;  // unmeasured: nothing to judge by; never a pass
  std::string measured_text;       // "118.4 ms", "inf", "3", "24.4 KiB"
};

ThresholdResult evaluate(const Threshold& threshold, const Outcome& outcome);

}  // namespace rt
