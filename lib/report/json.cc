#include "report/json.h"

#include <array>
#include <cmath>

#include "base/units.h"
#include "report/outcome_fields.h"

namespace rt {
namespace {

Json ms(double us) {
  return finite_json(us / 1000);
}

template <typename Fields>
Json object_of(Fields fields) {
  Json out = Json::object();
  JsonWriter writer(out);
  fields(writer);
  return out;
}

// What is judged: all measured phases as one.
Json delivery_json(const Outcome& outcome, const PhaseOutcome& phase) {
  Json out = latency_summary(phase.delivery, phase.undelivered());
  const auto interval = delivery_interval(outcome, phase, 0.95);
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
  out["from"] = outcome.delivery_from_commit ? "commit" : "intended";
  out["hist"] = histogram_json(phase.delivery);
  return out;
}

Json load_json(const PhaseOutcome& phase) {
  Json out = object_of([&](JsonWriter& in) { load_fields(in, phase); });
  out["late"].erase("hist");
  return out;
}

Json stages_json(const PhaseOutcome& measured) {
  return {{"intended", latency_summary(measured.intended, measured.undelivered())},
          {"publish", latency_summary(measured.publish,
                                      measured.sent - measured.acknowledged + measured.skipped)},
          {"commit_to_wire", latency_summary(measured.commit_to_wire, 0)},
          {"wire_to_parse", latency_summary(measured.receive_queue, 0)},
          {"receive_queue", latency_summary(measured.receive_queue, 0)}};
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
  return object_of([&](JsonWriter& in) {
    in.value("asked", counts.asked);
    in.value("held", counts.held);
    in.value("dropped", counts.dropped);
    in.value("absent", counts.absent);
    in.value("not_tried", counts.not_tried);
    in.value("failed", failed);
    in.value("first_failure", counts.first_failure);
    in.latency("latency", outcome.connect, counts.failed_total());
    in.latency("first_event", outcome.first_event);
    in.latency("tls", outcome.tls);
  });
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
  return quantity == Quantity::duration ? ms(value) : finite_json(value);
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

Json reasons_json(const Verdict& verdict) {
  Json out = Json::array();
  for (const Reason& reason : verdict.reasons) {
    out.push_back({{"exit", reason.exit_status}, {"source", reason.source}, {"text", reason.text}});
  }
  return out;
}

Json selftest_json(const Outcome& outcome) {
  if (!outcome.selftest) return nullptr;
  return object_of([&](JsonWriter& in) { floor_fields(in, *outcome.selftest); });
}

// By name: what each cohort was owed and got; "delivery" is that of its measured phases.
Json cohorts_json(const Outcome& outcome) {
  Json out = Json::object();
  for (const CohortOutcome& cohort : outcome.cohorts) {
    const PhaseOutcome measured = cohort.measured();
    out[cohort.name] = object_of([&](JsonWriter& in) {
      cohort_fields(in, cohort);
      in.object("delivery", [&](JsonWriter& of) { phase_delivery_fields(of, measured); });
    });
  }
  return out;
}

Json scenario_json(const Scenario& scenario) {
  return {{"name", scenario.name},
          {"sha256", scenario.sha256},
          {"seed", scenario.seed},
          {"expanded", scenario.expanded.empty() ? Json(nullptr) : Json::parse(scenario.expanded)}};
}

Json part_json(const std::optional<RunPart>& part) {
  if (!part) return nullptr;
  return {{"run_id", part->run_id}, {"shards", part->shards}, {"have", part->have}};
}

}  // namespace

std::string json_report(const Scenario& scenario, const Outcome& outcome, const Verdict& verdict) {
  const PhaseOutcome measured = outcome.measured();
  const bool whole = !outcome.part || outcome.part->is_whole();
  Json out = {
      {"schema", kReportSchema},
      {"schema_version", kReportSchemaVersion},
      {"tool",
       {{"name", "rtbench"}, {"version", outcome.env.tool_version}, {"build", outcome.env.build}}},
      {"scenario", scenario_json(scenario)},
      {"part", part_json(outcome.part)},
      {"start", format_rfc3339(outcome.start)},
  };
  JsonWriter writer(out);
  end_fields(writer, outcome);
  // A shard by itself makes no claim: the merged report does.
  out["verdict"] = whole ? verdict_word(verdict.word) : "PART";
  out["exit"] = verdict.exit_status;
  out["reasons"] = reasons_json(verdict);
  out["delivery"] = delivery_json(outcome, measured);
  writer.object("integrity", [&](JsonWriter& in) { integrity_fields(in, outcome.integrity); });
  out["load"] = load_json(measured);
  out["stages"] = stages_json(measured);
  out["connect"] = connect_json(outcome);
  writer.latency("heartbeat_gap", outcome.heartbeat_gap);
  writer.object("resume", [&](JsonWriter& in) { resume_fields(in, outcome.resume); });
  out["cohorts"] = cohorts_json(outcome);
  writer.list("worst", outcome.worst,
              [](JsonWriter& in, const WorstCase& worst) { worst_fields(in, worst); });
  writer.object("slowest", [&](JsonWriter& in) { slowest_fields(in, outcome.slowest); });
  writer.object("churn", [&](JsonWriter& in) { churn_fields(in, outcome.churn); });
  writer.object("client", [&](JsonWriter& in) { client_fields(in, outcome.client); });
  writer.object("target", [&](JsonWriter& in) { target_fields(in, outcome); });
  if (!outcome.target.sampled) out["target"]["bytes_per_connection"] = nullptr;
  out["gates"] = gates_json(verdict);
  out["thresholds"] = thresholds_json(verdict);
  writer.object("env", [&](JsonWriter& in) { env_fields(in, outcome); });
  out["selftest"] = selftest_json(outcome);
  out["notes"] = outcome.notes;
  writer.list("phases", outcome.phases,
              [](JsonWriter& in, const PhaseOutcome& phase) { phase_fields(in, phase); });
  writer.list("series", outcome.series,
              [](JsonWriter& in, const SecondSample& second) { second_fields(in, second); });
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rt
