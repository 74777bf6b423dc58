#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "load/figures.h"
#include "report/behaviour.h"
#include "report/slowest.h"
#include "report/summary.h"

namespace rt {
namespace {

constexpr std::size_t kMostReasons = 4;  // with the rest of the summary 25 lines at most
constexpr std::size_t kMostNotes = 3;
constexpr std::size_t kMostThresholds = 5;

struct Colours {
  const char* verdict;
  const char* faint;
  const char* off;
};

Colours colours_of(VerdictWord word, bool wanted) {
  if (!wanted) return {"", "", ""};
  const char* const verdict = word == VerdictWord::pass   ? "\033[1;32m"
                              : word == VerdictWord::fail ? "\033[1;31m"
                                                          : "\033[1;33m";
  return {verdict, "\033[2m", "\033[0m"};
}

std::string count_ms(const Histogram& histogram, std::uint64_t missing) {
  const auto at = [&](double quantile) {
    return ms_number(histogram.percentile_us(quantile, missing));
  };
  const double max = missing > 0 ? INFINITY : static_cast<double>(histogram.max_us());
  return fmt::format("p50 {}  p90 {}  p95 {}  p99 {}  p99.9 {}  max {} ms", at(0.5), at(0.9),
                     at(0.95), at(0.99), at(0.999),
                     ms_number(histogram.empty() && missing == 0 ? NAN : max));
}

// "PASS  quickstart  2 000 streams  p95 21.0 ms < 300 ms (95 % CI 20.8-21.2)   [floor p95 0.6 ms]"
std::string headline(const Outcome& outcome, const Verdict& verdict, const Colours& colours) {
  std::string line =
      fmt::format("{}{}{}  {}  {} streams", colours.verdict, verdict_label(outcome, verdict),
                  colours.off, outcome.scenario, format_count(outcome.connections.held));
  if (outcome.publishes) line += "  " + claim_text(outcome, verdict);
  if (outcome.selftest) line += fmt::format("   [floor p95 {}]", ms_text(outcome.selftest->p95_us));
  return line + "\n";
}

std::string load_lines(const Outcome& outcome, const PhaseOutcome& m) {
  if (!outcome.publishes) {
    return fmt::format(
        "load      nothing published: delivery latency cannot be measured in this preset\n"
        "connect   {}\nfirst     {}\n",
        count_ms(outcome.connect, outcome.connections.failed_total()),
        count_ms(outcome.first_event, 0));
  }
  const double seconds = m.duration_s > 0 ? m.duration_s : NAN;
  const double fan_out =
      m.events > 0 ? static_cast<double>(m.expected) / static_cast<double>(m.events) : NAN;
  return fmt::format(
      "load      offered {:.1f}/s  achieved {:.1f}/s  late p99 {}  fan-out 1:{:.3g}  deliveries "
      "{}\n"
      "delivery  {}   undelivered {}\n"
      "intended  {}\n",
      static_cast<double>(m.offered) / seconds, static_cast<double>(m.sent) / seconds,
      ms_text(m.late.percentile_us(0.99)), fan_out, format_count(m.received),
      count_ms(m.delivery, m.undelivered()), m.undelivered(),
      count_ms(m.intended, m.undelivered()));
}

// "stages    commit to wire p50 3.10  p95 8.02  p99 9.90   wire to parse p50 0.05 ..."
std::string stages_line(const Outcome& outcome, const PhaseOutcome& m) {
  if (!outcome.publishes) return {};
  const auto stage = [](const char* name, const Histogram& h) {
    if (h.empty()) return fmt::format("{} unmeasured", name);
    const auto at = [&](double quantile) { return ms_number(h.percentile_us(quantile)); };
    return fmt::format("{} p50 {}  p95 {}  p99 {}", name, at(0.5), at(0.95), at(0.99));
  };
  return fmt::format("stages    {}   {} ms\n", stage("commit to wire", m.commit_to_wire),
                     stage("wire to parse", m.receive_queue));
}

std::string integrity_line(const Outcome& outcome) {
  const IntegrityCounts& i = outcome.integrity;
  const ResumeCounts& r = outcome.resume;
  std::string line =
      fmt::format("integrity lost {}  dup {}  reorder {}", i.lost, i.duplicate, i.reorder);
  if (i.corrupt) line += fmt::format("  corrupt {}", *i.corrupt);
  if (i.unasked != 0) line += fmt::format("  unasked {}", i.unasked);
  if (i.deaf != 0) line += fmt::format("  deaf {}", i.deaf);
  if (r.attempts > 0) {
    line += fmt::format("   resumes {} (p95 {}, replayed {})", format_count(r.resumed),
                        ms_text(r.latency.percentile_us(0.95)), format_count(r.replayed));
    if (i.repeated > 0) line += fmt::format("  asked for again {}", format_count(i.repeated));
  }
  return line + "\n";
}

std::string client_line(const ClientUse& client) {
  const std::size_t sources = client.source_addresses.size();
  std::string line =
      fmt::format("client    busy {:.0f} %  loop lag p99 {}  fds {}/{}  source addresses {}",
                  client.busy_max * 100, ms_text(client.loop_lag.percentile_us(0.99)),
                  format_count(client.descriptors), format_count(client.descriptor_limit), sources);
  if (client.bytes_per_connection > 0) {
    line += fmt::format("  {}/conn", format_bytes(client.bytes_per_connection));
  }
  return line + "\n";
}

std::string target_line(const TargetUse& target) {
  if (!target.sampled)
    return "target    not sampled (give target.pid_file or target.metrics_url)\n";
  std::string line =
      fmt::format("target    RSS {}", format_bytes(static_cast<double>(target.rss_bytes)));
  if (target.bytes_per_connection > 0) {
    line += fmt::format(", {}/conn", format_bytes(target.bytes_per_connection));
  }
  return line + fmt::format("  CPU {:.2f} cores\n", target.cpu_cores);
}

std::string threshold_lines(const Verdict& verdict) {
  std::string lines;
  const std::size_t shown = std::min(kMostThresholds, verdict.thresholds.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const ThresholdResult& result = verdict.thresholds[i];
    const char* const mark = result.state == ThresholdState::pass   ? "ok  "
                             : result.state == ThresholdState::fail ? "MISS"
                                                                    : "?   ";
    lines += fmt::format("threshold {} {}  measured {}{}{}\n", mark, result.threshold.text,
                         result.measured_text, result.threshold.phase.empty() ? "" : "  in ",
                         result.threshold.phase);
  }
  if (verdict.thresholds.size() > shown) {
    lines += fmt::format("          and {} more in the JSON report\n",
                         verdict.thresholds.size() - shown);
  }
  return lines;
}

// "15/17 gates ok   warn: co_location   unmeasured: receive_queue"
std::string validity_line(const Verdict& verdict) {
  const auto count =
      std::count_if(verdict.gates.begin(), verdict.gates.end(),
                    [](const GateResult& gate) { return gate.verdict == GateVerdict::pass; });
  std::string line = fmt::format("validity  {}/{} gates ok", count, verdict.gates.size());
  const auto list = [&](std::string_view label, auto belongs) {
    std::string names;
    for (const GateResult& gate : verdict.gates) {
      if (belongs(gate)) names += (names.empty() ? "" : ", ") + gate.name;
    }
    if (!names.empty()) line += fmt::format("   {}: {}", label, names);
  };
  list("WAIVED", [](const GateResult& gate) { return gate.waived; });
  for (const GateVerdict verdict_of :
       {GateVerdict::fail, GateVerdict::invalid, GateVerdict::warn, GateVerdict::unmeasured}) {
    list(gate_verdict_name(verdict_of),
         [=](const GateResult& gate) { return gate.verdict == verdict_of && !gate.waived; });
  }
  return line + "\n";
}

std::string reason_lines(const Verdict& verdict, const Colours& colours) {
  std::string lines;
  const std::size_t shown = std::min(kMostReasons, verdict.reasons.size());
  for (std::size_t i = 0; i < shown; ++i) {
    lines +=
        fmt::format("{}reason{}    {}\n", colours.verdict, colours.off, verdict.reasons[i].text);
  }
  if (verdict.reasons.size() > shown) {
    lines +=
        fmt::format("          and {} more in the JSON report\n", verdict.reasons.size() - shown);
  }
  return lines;
}

}  // namespace

std::string text_report(const Scenario& scenario, const Outcome& outcome, const Verdict& verdict,
                        bool colour) {
  const Colours colours = colours_of(verdict.word, colour);
  const PhaseOutcome measured = outcome.measured();
  std::string out = headline(outcome, verdict, colours);
  out += reason_lines(verdict, colours);
  out += load_lines(outcome, measured);
  out += stages_line(outcome, measured);
  out += slowest_line(outcome);
  out += integrity_line(outcome);
  out += behaviour_lines(outcome);
  out += client_line(outcome.client);
  out += target_line(outcome.target);
  out += threshold_lines(verdict);
  out += validity_line(verdict);
  const std::size_t notes = std::min(kMostNotes, outcome.notes.size());
  for (std::size_t i = 0; i < notes; ++i) out += fmt::format("note      {}\n", outcome.notes[i]);
  out += fmt::format("{}run       scenario {} {:.12}  seed {}  {:.1f} s{}{}\n", colours.faint,
                     scenario.name, outcome.scenario_sha256, outcome.seed, outcome.duration_s,
                     outcome.partial() ? "  PARTIAL" : "", colours.off);
  return out;
}

}  // namespace rt
