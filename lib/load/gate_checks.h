// The single gates and what they look at. Internal to lib/load.
#pragma once

#include <string>
#include <utility>

#include "load/gates.h"
#include "load/outcome.h"
#include "load/scenario.h"

namespace rt {

struct Evidence {
  const Scenario& scenario;
  const Outcome& outcome;
  PhaseOutcome measured;  // all measured phases as one
  double threshold_us;    // the tightest latency that is claimed; 300 ms if none is
};

// Exit codes a gate can ask for (the table of `TOOL codes`).
inline constexpr int kExitNegative = 1;
inline constexpr int kExitUnreachable = 3;
inline constexpr int kExitRefused = 4;
inline constexpr int kExitLimit = 5;
inline constexpr int kExitIntegrity = 6;
inline constexpr int kExitInvalid = 7;
inline constexpr int kExitInternal = 8;

// A result that passes so far; what was seen and what is allowed.
inline GateResult gate_result(std::string measured, std::string limit) {
  GateResult result;
  result.measured = std::move(measured);
  result.limit = std::move(limit);
  return result;
}
inline GateResult& condemn(GateResult& result, GateVerdict verdict, int exit_status,
                           std::string hint) {
  result.verdict = verdict;
  result.exit_status = exit_status;
  result.hint = std::move(hint);
  return result;
}
inline GateResult& unmeasured(GateResult& result, std::string why) {
  result.verdict = GateVerdict::unmeasured;
  result.hint = std::move(why);
  return result;
}

using GateCheck = GateResult (*)(const Evidence&);

// Is the figure the truth?
GateResult check_open_loop(const Evidence& evidence);
GateResult check_survivorship(const Evidence& evidence);
GateResult check_clock(const Evidence& evidence);
GateResult check_receive_queue(const Evidence& evidence);
GateResult check_warm_up(const Evidence& evidence);
GateResult check_samples(const Evidence& evidence);
GateResult check_balance(const Evidence& evidence);
GateResult check_complete(const Evidence& evidence);
GateResult check_rounding(const Evidence& evidence);
GateResult check_buffering(const Evidence& evidence);
GateResult check_realism(const Evidence& evidence);
// Was the load there, and who fell short?
GateResult check_client_saturation(const Evidence& evidence);
GateResult check_wrong_type(const Evidence& evidence);
GateResult check_offered_load(const Evidence& evidence);
GateResult check_publish_errors(const Evidence& evidence);
GateResult check_connections(const Evidence& evidence);
GateResult check_local_limits(const Evidence& evidence);
GateResult check_co_location(const Evidence& evidence);
GateResult check_resume(const Evidence& evidence);
GateResult check_integrity(const Evidence& evidence);

}  // namespace rt
