#include "report/json.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "load/figures.h"

namespace rt {
namespace {

using Json = nlohmann::ordered_json;

Json finite(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}
Json ms(double us) {
  return finite(us / 1000);
}

Json histogram_json(const Histogram& histogram) {
  const Histogram::Sparse sparse = histogram.sparse();
  Json pairs = Json::array();
  for (const Histogram::Sparse::Pair& pair : sparse.pairs) pairs.push_back({pair.slot, pair.count});
  return {{"layout", "log-linear-us-1024"}, {"slots", pairs},
          {"negatives", sparse.negatives},  {"clamped", sparse.clamped},
          {"sum_us", sparse.sum_us},        {"min_us", sparse.min_us},
          {"max_us", sparse.max_us}};
}

// Percentiles and the like of a latency of which `missing` values never came.
Json latency_json(const Histogram& histogram, std::uint64_t missing = 0) {
  constexpr std::array<std::pair<const char*, double>, 5> kQuantiles = {
      {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99_9", 0.999}}};
  Json percentiles = Json::object();
  Json infinite = Json::array();
  for (const auto& [name, quantile] : kQuantiles) {
    const double us = histogram.percentile_us(quantile, missing);
    percentiles[name] = ms(us);
    if (std::isinf(us)) infinite.push_back(name);
  }
  const bool nothing = histogram.empty() && missing == 0;
  percentiles["max"] =
      nothing || missing > 0 ? Json(nullptr) : ms(static_cast<double>(histogram.max_us()));
  if (missing > 0) infinite.push_back("max");
  return {
      {"count", histogram.count()},
      {"missing", missing},
      {"percentiles", percentiles},
      {"infinite", infinite},
      {"min", nothing ? Json(nullptr) : ms(static_cast<double>(histogram.min_us()))},
      {"mean", nothing ? Json(nullptr) : ms(histogram.mean_us())},
      {"largest_received", nothing ? Json(nullptr) : ms(static_cast<double>(histogram.max_us()))},
      {"negatives", histogram.negatives()}};
}

Json delivery_json(const PhaseOutcome& phase) {
  Json out = latency_json(phase.delivery, phase.undelivered());
  const auto interval =
      percentile_interval(phase.delivery, phase.undelivered(), phase.events, 0.95);
  const double p95 = phase.delivery.percentile_us(0.95, phase.undelivered());
  out["expected"] = phase.expected;
  out["received"] = phase.received;
  out["undelivered"] = phase.undelivered();
  out["events"] = phase.events;
  out["ci"] = {
      {"p95", interval.known ? Json({ms(interval.low_us), ms(interval.high_us)}) : Json(nullptr)},
      {"level", 0.95},
      {"clustered_by", "event"}};
  out["quantisation_ms"] =
      std::isfinite(p95)
          ? ms(static_cast<double>(Histogram::quantisation_us(static_cast<std::int64_t>(p95))))
          : Json(nullptr);
  return out;
}

Json load_json(const PhaseOutcome& phase) {
  const double seconds = phase.duration_s;
  const auto rate = [&](std::uint64_t n) { return finite(static_cast<double>(n) / seconds); };
  return {{"offered", phase.offered},
          {"achieved", phase.sent},
          {"offered_per_s", rate(phase.offered)},
          {"achieved_per_s", rate(phase.sent)},
          {"skipped", phase.skipped},
          {"skipped_by_target", phase.skipped_by_target},
          {"acknowledged", phase.acknowledged},
          {"failed", phase.publish_failed},
          {"late", latency_json(phase.late, phase.skipped)}};
}

Json phase_json(const PhaseOutcome& phase) {
  return {
      {"name", phase.name},
      {"tag", phase.tag},
      {"measured", phase.measured},
      {"start_s", phase.start_s},
      {"duration_s", phase.duration_s},
      {"load", load_json(phase)},
      {"delivery", delivery_json(phase)},
      {"intended", latency_json(phase.intended, phase.undelivered())},
      {"publish", latency_json(phase.publish, phase.sent - phase.acknowledged + phase.skipped)}};
}

Json connect_json(const Outcome& outcome) {
  const ConnectionCounts& counts = outcome.connections;
  Json failed = Json::object();
  for (std::size_t i = 0; i < kConnectFailures; ++i) {
    const auto failure = static_cast<ConnectFailure>(i);
    if (counts.failed[i] == 0) continue;
    failed[connect_failure_name(failure)] = {{"count", counts.failed[i]},
                                             {"blame", blame_name(connect_failure_blame(failure))}};
  }
  return {{"asked", counts.asked},
          {"held", counts.held},
          {"dropped", counts.dropped},
          {"absent", counts.absent},
          {"not_tried", counts.not_tried},
          {"failed", failed},
          {"first_failure", counts.first_failure},
          {"latency", latency_json(outcome.connect, counts.failed_total())},
          {"first_event", latency_json(outcome.first_event)}};
}

Json integrity_json(const IntegrityCounts& i) {
  return {
      {"lost", i.lost},
      {"duplicate", i.duplicate},
      {"reorder", i.reorder},
      {"first",
       {{"lost", i.first_lost}, {"duplicate", i.first_duplicate}, {"reorder", i.first_reorder}}},
      {"received", i.received},
      {"parsed", i.parsed},
      {"initial", i.initial},
      {"foreign", i.foreign},
      {"comments", i.comments},
      {"stream_errors", i.stream_errors}};
}

Json resume_json(const ResumeCounts& r) {
  return {{"attempts", r.attempts},       {"resumed", r.resumed},
          {"replayed", r.replayed},       {"gaps_signalled", r.gaps_signalled},
          {"gaps_silent", r.gaps_silent}, {"latency", latency_json(r.latency)},
          {"losses", r.losses},           {"replay", latency_json(r.replay)}};
}

// By name: what each cohort was owed and got, in measured phases.
Json cohorts_json(const Outcome& outcome) {
  Json out = Json::object();
  for (const CohortOutcome& cohort : outcome.cohorts) {
    const PhaseOutcome all = cohort.measured();
    Json delivery = delivery_json(all);
    delivery["replayed"] = all.replayed;
    out[cohort.name] = {{"share", cohort.share},
                        {"connections", cohort.connections},
                        {"judged", cohort.judged},
                        {"delivery", std::move(delivery)}};
  }
  return out;
}

Json churn_json(const Outcome& outcome) {
  return {{"left", outcome.churn.left},
          {"replaced", outcome.churn.replaced},
          {"held_back", outcome.churn.held_back},
          {"storm_losses", outcome.resume.storm_losses}};
}

Json client_json(const ClientUse& c) {
  return {{"bytes_per_connection",
           c.bytes_per_connection > 0 ? Json(c.bytes_per_connection) : Json(nullptr)},
          {"rss_bytes", c.rss_bytes},
          {"busy", c.busy_max},
          {"cpu_cores", c.cpu_cores},
          {"steal", c.steal},
          {"throttled_us", c.throttled_us},
          {"loop_lag", latency_json(c.loop_lag)},
          {"descriptors", c.descriptors},
          {"descriptor_limit", c.descriptor_limit},
          {"shards", c.shards},
          {"source_addresses", c.source_addresses}};
}

Json target_json(const Outcome& outcome) {
  const TargetUse& t = outcome.target;
  const auto if_sampled = [&](auto value) { return t.sampled ? Json(value) : Json(nullptr); };
  return {{"url", outcome.target_url},
          {"preset", outcome.preset},
          {"same_host", t.same_host},
          {"pid", if_sampled(t.pid)},
          {"rss_bytes", if_sampled(t.rss_bytes)},
          {"bytes_per_connection",
           t.sampled && t.bytes_per_connection > 0 ? Json(t.bytes_per_connection) : Json(nullptr)},
          {"cpu_cores", if_sampled(t.cpu_cores)}};
}

Json gates_json(const Verdict& verdict) {
  Json out = Json::array();
  for (const GateResult& gate : verdict.gates) {
    out.push_back({{"gate", gate.name},
                   {"verdict", gate_verdict_name(gate.verdict)},
                   {"measured", gate.measured},
                   {"limit", gate.limit},
                   {"hint", gate.hint},
                   {"waived", gate.waived}});
  }
  return out;
}

// In milliseconds where the threshold is a duration; else in its own unit.
Json threshold_figure(double value, Quantity quantity) {
  return quantity == Quantity::duration ? ms(value) : finite(value);
}

Json thresholds_json(const Verdict& verdict) {
  constexpr std::array kStates = {"pass", "fail", "unmeasured"};
  Json out = Json::array();
  for (const ThresholdResult& result : verdict.thresholds) {
    const Threshold& t = result.threshold;
    out.push_back({{"expr", t.text},
                   {"phase", t.phase},
                   {"severity", t.severity == Severity::warn ? "warn" : "fail"},
                   {"state", kStates[static_cast<std::size_t>(result.state)]},
                   {"measured", threshold_figure(result.measured, t.quantity)},
                   {"measured_text", result.measured_text},
                   {"limit", threshold_figure(t.value, t.quantity)}});
  }
  return out;
}

Json env_json(const Outcome& outcome) {
  const Environment& e = outcome.env;
  return {{"host", e.host},
          {"kernel", e.kernel},
          {"cpu", e.cpu},
          {"cores", e.cores},
          {"governor", e.governor},
          {"memory_bytes", e.memory_bytes},
          {"limits",
           {{"descriptors_soft", e.descriptor_soft},
            {"descriptors_hard", e.descriptor_hard},
            {"port_range", e.port_range},
            {"cgroup_cpu", e.cgroup_cpu},
            {"cgroup_memory", e.cgroup_memory}}},
          {"clock",
           {{"mode", outcome.clock.mode},
            {"error_ms", ms(outcome.clock.error_us)},
            {"steps", outcome.clock.steps}}}};
}

Json series_json(const Outcome& outcome) {
  Json out = Json::array();
  for (const SecondSample& s : outcome.series) {
    out.push_back({{"at_s", s.at_s},
                   {"connections", s.connections},
                   {"offered", s.offered},
                   {"achieved", s.sent},
                   {"received", s.received},
                   {"p50", ms(s.p50_us)},
                   {"p95", ms(s.p95_us)},
                   {"max", ms(s.max_us)},
                   {"late_max", ms(s.late_max_us)},
                   {"measured", s.measured}});
  }
  return out;
}

Json reasons_json(const Verdict& verdict) {
  Json out = Json::array();
  for (const Reason& reason : verdict.reasons) {
    out.push_back({{"exit", reason.exit_status}, {"source", reason.source}, {"text", reason.text}});
  }
  return out;
}

Json selftest_json(const Outcome& outcome) {
  if (!outcome.selftest) return nullptr;
  const Floor& floor = *outcome.selftest;
  return {{"p50", ms(floor.p50_us)},
          {"p95", ms(floor.p95_us)},
          {"p99", ms(floor.p99_us)},
          {"events_per_s", finite(floor.events_per_s)},
          {"timer_slop", ms(floor.timer_slop_us)},
          {"clock_source", floor.clock_source},
          {"clock_read_ns", finite(floor.clock_read_ns)}};
}

}  // namespace

std::string json_report(const Scenario& scenario, const Outcome& outcome, const Verdict& verdict) {
  const PhaseOutcome measured = outcome.measured();
  Json delivery = delivery_json(measured);
  delivery["from"] = outcome.delivery_from_commit ? "commit" : "intended";
  delivery["hist"] = histogram_json(measured.delivery);
  Json out = {
      {"schema", kReportSchema},
      {"tool",
       {{"name", "rtbench"}, {"version", outcome.env.tool_version}, {"build", outcome.env.build}}},
      {"scenario", {{"name", scenario.name}, {"sha256", scenario.sha256}, {"seed", scenario.seed}}},
      {"start", format_rfc3339(outcome.start)},
      {"duration_s", outcome.duration_s},
      {"partial", outcome.partial()},
      {"verdict", verdict_word(verdict.word)},
      {"exit", verdict.exit_status},
      {"reasons", reasons_json(verdict)},
      {"delivery", std::move(delivery)},
      {"integrity", integrity_json(outcome.integrity)},
      {"load", load_json(measured)},
      {"stages",
       {{"intended", latency_json(measured.intended, measured.undelivered())},
        {"publish",
         latency_json(measured.publish, measured.sent - measured.acknowledged + measured.skipped)},
        {"receive_queue", latency_json(measured.receive_queue)}}},
      {"connect", connect_json(outcome)},
      {"resume", resume_json(outcome.resume)},
      {"cohorts", cohorts_json(outcome)},
      {"churn", churn_json(outcome)},
      {"client", client_json(outcome.client)},
      {"target", target_json(outcome)},
      {"gates", gates_json(verdict)},
      {"thresholds", thresholds_json(verdict)},
      {"env", env_json(outcome)},
      {"selftest", selftest_json(outcome)},
      {"notes", outcome.notes},
  };
  out["phases"] = Json::array();
  for (const PhaseOutcome& phase : outcome.phases) out["phases"].push_back(phase_json(phase));
  out["series"] = series_json(outcome);
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rt
