// The gates that ask: is the figure the truth?
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/units.h"
#include "load/figures.h"
#include "load/gate_checks.h"

namespace rt {
namespace {

// The sums of a phase that do not balance, or nothing.
std::string imbalance(const PhaseOutcome& phase) {
  if (phase.offered != phase.sent + phase.skipped) {
    return fmt::format("phase {}: offered {} is not sent {} + skipped {}", phase.name,
                       phase.offered, phase.sent, phase.skipped);
  }
  if (phase.acknowledged + phase.publish_failed > phase.sent) {
    return fmt::format("phase {}: acknowledged {} + failed {} exceed sent {}", phase.name,
                       phase.acknowledged, phase.publish_failed, phase.sent);
  }
  if (phase.received > phase.expected) {
    return fmt::format("phase {}: received {} exceeds expected {}", phase.name, phase.received,
                       phase.expected);
  }
  const std::uint64_t live = phase.received - std::min(phase.received, phase.replayed);
  if (phase.delivery.count() + phase.untimed != live || phase.intended.count() > live ||
      phase.intended.count() + phase.untimed < live) {
    return fmt::format("phase {}: {} and {} latencies for {} received deliveries", phase.name,
                       phase.delivery.count(), phase.intended.count(), live);
  }
  return {};
}

std::string imbalance(const Outcome& outcome) {
  const ConnectionCounts& c = outcome.connections;
  if (c.asked != c.held + c.failed_total() + c.dropped + c.absent + c.not_tried) {
    return fmt::format(
        "connections: asked {} is not held {} + failed {} + dropped {} + absent {} + not tried {}",
        c.asked, c.held, c.failed_total(), c.dropped, c.absent, c.not_tried);
  }
  std::uint64_t received = 0;
  std::uint64_t undelivered = 0;
  for (const PhaseOutcome& phase : outcome.phases) {
    if (std::string text = imbalance(phase); !text.empty()) return text;
    received += phase.received;
    undelivered += phase.undelivered();
  }
  for (const CohortOutcome& cohort : outcome.cohorts) {
    for (const PhaseOutcome& phase : cohort.phases) {
      if (std::string text = imbalance(phase); !text.empty()) return cohort.name + ": " + text;
      received += phase.received;
      if (cohort.judged) undelivered += phase.undelivered();
    }
  }
  const IntegrityCounts& i = outcome.integrity;
  if (received != i.received || undelivered != i.lost) {
    return fmt::format("phases: received {} and undelivered {}, but the ledger has {} and lost {}",
                       received, undelivered, i.received, i.lost);
  }
  if (i.parsed != i.received + i.duplicate + i.initial + i.repeated + i.foreign) {
    return fmt::format(
        "events: parsed {} is not received {} + duplicate {} + initial {} + repeated {} + foreign "
        "{}",
        i.parsed, i.received, i.duplicate, i.initial, i.repeated, i.foreign);
  }
  return {};
}

struct Claim {
  double quantile;
  const Threshold* threshold;  // nullptr: the p95 that every report prints
};

// The percentiles of deliveries that the scenario makes a claim about.
std::vector<Claim> claims(const Scenario& scenario) {
  constexpr std::array<std::pair<std::string_view, double>, 5> kQuantiles = {
      {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}}};
  std::vector<Claim> out;
  for (const Threshold& threshold : scenario.thresholds) {
    if (threshold.metric != Metric::delivery && threshold.metric != Metric::intended) continue;
    if (threshold.times_baseline || !threshold.cohort.empty()) continue;
    for (const auto& [name, quantile] : kQuantiles) {
      if (threshold.stat == name) out.push_back({quantile, &threshold});
    }
  }
  if (out.empty()) out.push_back({0.95, nullptr});
  return out;
}

// A queue on this side only makes the target look slower. Where latencies are claimed to be below
// something, and are, with the queue in them, the claim stands; no other claim does.
bool claims_hold_with_queue(const Evidence& e) {
  bool any = false;
  for (const Threshold& threshold : e.scenario.thresholds) {
    const bool latency =
        threshold.metric == Metric::delivery || threshold.metric == Metric::intended;
    if (!latency || threshold.quantity != Quantity::duration) continue;
    const bool upper =
        threshold.comparison == Comparison::less || threshold.comparison == Comparison::less_equal;
    if (!upper || threshold.times_baseline) return false;
    if (evaluate(threshold, e.outcome).state != ThresholdState::pass) return false;
    any = true;
  }
  return any;
}

}  // namespace

GateResult check_open_loop(const Evidence& e) {
  const PhaseOutcome& m = e.measured;
  const double limit = 0.1 * e.threshold_us;
  const std::uint64_t skipped_by_us = m.skipped - std::min(m.skipped, m.skipped_by_target);
  const double p99 = m.late.percentile_us(0.99, skipped_by_us);
  GateResult result =
      gate_result("late p99 " + ms_text(p99),
                  fmt::format("{} (10 % of {})", ms_text(limit), ms_text(e.threshold_us)));
  if (std::isnan(p99)) return unmeasured(result, "nothing was published");
  if (p99 <= limit) return result;
  return condemn(
      result, GateVerdict::invalid, kExitInvalid,
      "events left later than the schedule wanted: lower the rate, give the producer more "
      "connections, or more processor to this tool");
}

GateResult check_survivorship(const Evidence& e) {
  const std::uint64_t missing = e.measured.undelivered();
  GateResult result =
      gate_result(fmt::format("undelivered {} of {}", missing, e.measured.expected), "0");
  if (e.measured.expected == 0) return unmeasured(result, "no delivery was due");
  if (missing == 0) return result;
  if (!e.scenario.integrity.loss) {
    result.verdict = GateVerdict::warn;
    result.hint = "the scenario does not judge loss; it is in every percentile all the same";
    return result;
  }
  return condemn(result, GateVerdict::fail, kExitIntegrity,
                 "what never arrived counts as infinite in every percentile");
}

GateResult check_clock(const Evidence& e) {
  const ClockProof& clock = e.outcome.clock;
  const Histogram& delivery = e.measured.delivery;
  const auto allowed =
      std::chrono::duration<double, std::micro>(e.scenario.clock.max_error).count();
  const double limit = std::min(0.05 * e.threshold_us, allowed);
  GateResult result =
      gate_result(fmt::format("{}, error {}, steps {}, negative latencies {}", clock.mode,
                              ms_text(clock.error_us), clock.steps, delivery.negatives()),
                  fmt::format("error {}, steps 0, negative beyond the error 0", ms_text(limit)));
  if (e.scenario.clock.mode == ClockSpec::Mode::same_host && clock.mode != "same-host") {
    return condemn(
        result, GateVerdict::invalid, kExitInvalid,
        "the scenario wants one clock, and the database has one of its own: run this tool "
        "on the database's host, or set clock.mode to \"auto\"");
  }
  if (e.measured.untimed > 0) {
    return condemn(result, GateVerdict::invalid, kExitInvalid,
                   fmt::format("the commit time of {} deliveries is not known: their latency is "
                               "missing from the figures",
                               e.measured.untimed));
  }
  if (clock.steps > 0) {
    return condemn(result, GateVerdict::invalid, kExitInvalid,
                   fmt::format("the wall clock jumped (by up to {}): let the time service settle",
                               ms_text(clock.largest_step_us)));
  }
  if (clock.error_us > limit) {
    return condemn(
        result, GateVerdict::invalid, kExitInvalid,
        "the clocks of database and subscribers cannot be compared this closely: run both on "
        "one host, or synchronise them");
  }
  if (static_cast<double>(delivery.min_us()) < -clock.error_us) {
    return condemn(result, GateVerdict::invalid, kExitInvalid,
                   fmt::format("a delivery came {} before its commit: the clocks differ",
                               ms_text(-static_cast<double>(delivery.min_us()))));
  }
  if (delivery.negatives() > 0) {
    result.verdict = GateVerdict::warn;
    result.hint = "negative latencies within the clock error; they are counted as 1 us";
  }
  return result;
}

GateResult check_receive_queue(const Evidence& e) {
  const double queue = e.measured.receive_queue.percentile_us(0.95);
  const double delivery = e.measured.delivery.percentile_us(0.95);
  // However fast the target is: 5 % of the claim is what clocks may be off by as well, and below it
  // a queue does not change the verdict. A millisecond is what a thread that sleeps takes to be
  // woken on a core that others use too.
  constexpr double kWakeUs = 1'000;
  const double limit =
      std::max({std::isfinite(delivery) ? 0.1 * delivery : 0.0, 0.05 * e.threshold_us, kWakeUs});
  GateResult result =
      gate_result(fmt::format("wire to parse p95 {}", ms_text(queue)),
                  fmt::format("{} (10 % of delivery p95 {}, 5 % of {} or 1 ms)", ms_text(limit),
                              ms_text(delivery), ms_text(e.threshold_us)));
  if (std::isnan(queue)) return unmeasured(result, "no kernel receive stamps in this run");
  // Stamps begin with the first socket that asks for them, a moment after it asked.
  constexpr double kLeastStamped = 0.9;
  const std::uint64_t stamped = e.measured.receive_queue.count();
  const std::uint64_t timed = e.measured.intended.count();
  if (static_cast<double>(stamped) < kLeastStamped * static_cast<double>(timed)) {
    return unmeasured(result, fmt::format("the kernel stamped only {} of {} deliveries",
                                          format_count(stamped), format_count(timed)));
  }
  if (queue <= limit) return result;
  if (claims_hold_with_queue(e)) {
    result.verdict = GateVerdict::warn;
    result.hint =
        "events waited in this tool's receive buffers: the target is faster than these figures, "
        "which meet their thresholds all the same";
    return result;
  }
  return condemn(result, GateVerdict::invalid, kExitInvalid,
                 "events waited in this tool's receive buffers: that time is not the target's");
}

GateResult check_warm_up(const Evidence& e) {
  std::vector<double> p95;
  for (const SecondSample& second : e.outcome.series) {
    if (second.measured && second.received > 0) p95.push_back(second.p95_us);
  }
  const double limit = 0.2 * e.threshold_us;
  GateResult result = gate_result(
      "", fmt::format("drift {} (20 % of {})", ms_text(limit), ms_text(e.threshold_us)));
  for (const PhaseOutcome& phase : e.outcome.phases) {
    if (phase.stationary.value_or(true)) continue;
    result.measured =
        fmt::format("p95 still drifting after {:.0f} s of {}", phase.duration_s, phase.name);
    return condemn(
        result, GateVerdict::invalid, kExitInvalid,
        "latencies had not settled when the phase reached its \"max\": raise it, or lower "
        "the load");
  }
  constexpr std::size_t kSeconds = 6;  // two for each third
  if (p95.size() < kSeconds) {
    return unmeasured(result, fmt::format("needs {} measured seconds with deliveries, has {}",
                                          kSeconds, p95.size()));
  }
  const auto third = static_cast<std::ptrdiff_t>(p95.size() / 3);
  const auto median = [](auto first, auto last) {
    std::vector<double> part(first, last);
    std::sort(part.begin(), part.end());
    return part[part.size() / 2];
  };
  const double drift =
      median(p95.end() - third, p95.end()) - median(p95.begin(), p95.begin() + third);
  result.measured = fmt::format("p95 of the last third {}{} against the first",
                                drift < 0 ? "" : "+", ms_text(drift));
  if (std::fabs(drift) <= limit) return result;
  return condemn(result, GateVerdict::invalid, kExitInvalid,
                 drift < 0
                     ? "still warming up: put a longer unmeasured phase before this one"
                     : "latency keeps growing: this rate cannot be held; lower it or run longer");
}

GateResult check_samples(const Evidence& e) {
  GateResult result = gate_result(fmt::format("{} events", e.measured.events), "");
  if (!e.outcome.publishes)
    return unmeasured(result, "nothing is published, so there is nothing to sample");
  for (const Claim& claim : claims(e.scenario)) {
    const Threshold* threshold = claim.threshold;
    const bool named = threshold != nullptr && !threshold->phase.empty();
    const auto phase = named ? e.outcome.phase(threshold->phase) : std::optional(e.measured);
    if (!phase) continue;
    const auto needed = static_cast<std::uint64_t>(
        std::ceil(5 / std::min(claim.quantile, 1 - claim.quantile) - 1e-6));
    const bool intended = threshold != nullptr && threshold->metric == Metric::intended;
    const PercentileInterval interval =
        intended ? percentile_interval(phase->intended, phase->undelivered(), phase->events,
                                       claim.quantile)
                 : delivery_interval(e.outcome, *phase, claim.quantile);
    if (!interval.known) {
      result.limit = fmt::format("{} events", needed);
      return condemn(result, GateVerdict::invalid, kExitInvalid,
                     fmt::format("too few events for {}: measure longer or publish more",
                                 threshold != nullptr ? threshold->text : "a p95"));
    }
    result.measured = fmt::format("{} events, 95 % interval {} to {}", phase->events,
                                  ms_text(interval.low_us), ms_text(interval.high_us));
    if (threshold == nullptr) continue;
    result.limit = fmt::format("clear of {}", ms_text(threshold->value));
    if (interval.low_us < threshold->value && threshold->value <= interval.high_us) {
      return condemn(result, GateVerdict::invalid, kExitInvalid,
                     fmt::format("the interval straddles \"{}\": four times the duration halves it",
                                 threshold->text));
    }
  }
  return result;
}

GateResult check_balance(const Evidence& e) {
  std::string text = imbalance(e.outcome);
  GateResult result =
      gate_result(text.empty() ? "all sums balance" : std::move(text), "all sums balance");
  if (result.measured == result.limit) return result;
  return condemn(result, GateVerdict::invalid, kExitInternal,
                 "a bug in this tool: please report it with the JSON report");
}

GateResult check_complete(const Evidence& e) {
  const Outcome& o = e.outcome;
  GateResult result = gate_result(fmt::format("ran {:.1f} s", o.duration_s), "the whole plan");
  if (!o.broken_claim.empty()) result.limit = "until a threshold is broken";
  if (!o.internal_fault.empty()) {
    return condemn(result, GateVerdict::invalid, kExitInternal,
                   "a bug in this tool: " + o.internal_fault);
  }
  if (o.interrupted_by != 0) {
    return condemn(
        result, GateVerdict::invalid, kExitInvalid,
        fmt::format("interrupted by signal {}: the report is partial", o.interrupted_by));
  }
  if (!o.aborted.empty()) {
    return condemn(result, GateVerdict::invalid, kExitInvalid, "ended early: " + o.aborted);
  }
  return result;
}

}  // namespace rt
