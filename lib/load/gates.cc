#include "load/gates.h"

#include <algorithm>
#include <array>

#include "load/gate_checks.h"

namespace rt {
namespace {

struct GateRow {
  std::string_view name;
  GateCheck check;
};

constexpr std::array kGates = {
    GateRow{"complete", check_complete},
    GateRow{"balance", check_balance},
    GateRow{"integrity", check_integrity},
    GateRow{"survivorship", check_survivorship},
    GateRow{"resume", check_resume},
    GateRow{"wrong_type", check_wrong_type},
    GateRow{"connections", check_connections},
    GateRow{"local_limits", check_local_limits},
    GateRow{"offered_load", check_offered_load},
    GateRow{"publish_errors", check_publish_errors},
    GateRow{"open_loop", check_open_loop},
    GateRow{"clock", check_clock},
    GateRow{"client_saturation", check_client_saturation},
    GateRow{"receive_queue", check_receive_queue},
    GateRow{"warm_up", check_warm_up},
    GateRow{"samples", check_samples},
    GateRow{"rounding", check_rounding},
    GateRow{"buffering", check_buffering},
    GateRow{"realism", check_realism},
    GateRow{"co_location", check_co_location},
};

constexpr auto kNames = [] {
  std::array<std::string_view, kGates.size()> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kGates[i].name;
  return names;
}();

}  // namespace

double tightest_claim_us(const Scenario& scenario) {
  double tightest = 0;
  for (const Threshold& threshold : scenario.thresholds) {
    const bool latency =
        threshold.metric == Metric::delivery || threshold.metric == Metric::intended;
    if (threshold.times_baseline || !threshold.cohort.empty()) continue;
    if (!latency || threshold.quantity != Quantity::duration || threshold.value <= 0) continue;
    tightest = tightest == 0 ? threshold.value : std::min(tightest, threshold.value);
  }
  return tightest == 0 ? 300'000 : tightest;
}

const char* gate_verdict_name(GateVerdict verdict) {
  switch (verdict) {
    case GateVerdict::pass:
      return "pass";
    case GateVerdict::warn:
      return "warn";
    case GateVerdict::invalid:
      return "invalid";
    case GateVerdict::fail:
      return "fail";
    case GateVerdict::unmeasured:
      return "unmeasured";
  }
  return "unknown";
}

std::span<const std::string_view> gate_names() {
  return kNames;
}

std::vector<GateResult> judge_gates(const Scenario& scenario, const Outcome& outcome) {
  const Evidence evidence{scenario, outcome, outcome.measured(), tightest_claim_us(scenario)};
  std::vector<GateResult> results;
  for (const GateRow& gate : kGates) {
    GateResult result = gate.check(evidence);
    result.name = gate.name;
    const auto& waived = scenario.waived_gates;
    if (result.exit_status != 0 &&
        std::find(waived.begin(), waived.end(), gate.name) != waived.end()) {
      result.waived = true;
      result.exit_status = 0;
    }
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace rt
