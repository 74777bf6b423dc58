// Gates: what can make a load test lie, looked for in every run. A gate that is not content makes
// the verdict INVALID (the claim cannot be supported) or FAIL (the target is at fault); it cannot
// be switched off, only waived by name, and a waiver is shown next to the verdict. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "load/interval.h"

namespace rt {

struct Outcome;
struct Scenario;

enum class GateVerdict : std::uint8_t { pass, warn, invalid, fail, unmeasured };
const char* gate_verdict_name(GateVerdict verdict);

struct GateResult {
  std::string name;
  std::string measured;  // "late p99 0.21 ms"
  std::string limit;     // "30 ms (10 % of 300 ms)"
  GateVerdict verdict = GateVerdict::pass;
  std::string hint;     // what it means and what to do, when it did not pass
  int exit_status = 0;  // the exit code it asks for: 8, 5, 4, 3, 6, 7 or 1; 0 when content
  bool waived = false;
};

// Every gate there is, in the order of the report.
std::span<const std::string_view> gate_names();

// What counts against the target: without what the scenario does not judge, or forgives.
struct JudgedIntegrity {
  std::uint64_t lost = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t reorder = 0;
  std::uint64_t corrupt = 0;
  std::uint64_t unasked = 0;
  std::uint64_t deaf = 0;
  std::uint64_t forgiven = 0;  // duplicates that a resume sent again, as the scenario allows
  std::uint64_t sum() const { return lost + duplicate + reorder + corrupt + unasked + deaf; }
};
JudgedIntegrity judged_integrity(const Scenario& scenario, const Outcome& outcome);

// The smallest latency that a threshold of the scenario allows; 300 ms if none is about latency.
double tightest_claim_us(const Scenario& scenario);

// All gates, each exactly once, in the order of gate_names().
std::vector<GateResult> judge_gates(const Scenario& scenario, const Outcome& outcome);

}  // namespace rt
