#include "report/markdown.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/units.h"
#include "load/figures.h"
#include "report/summary.h"

namespace rt {
namespace {

// Text of others inside a table: no new column, no tag, no line of its own.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
      continue;
    }
    if (c == '|' || c == '`' || c == '*' || c == '_') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

std::string latency_row(const char* name, const Histogram& histogram, std::uint64_t missing) {
  constexpr std::array kQuantiles = {0.5, 0.9, 0.95, 0.99, 0.999};
  std::string row = fmt::format("| {} ", name);
  for (const double quantile : kQuantiles) {
    row += fmt::format("| {} ", ms_number(histogram.percentile_us(quantile, missing)));
  }
  const double most = missing > 0         ? INFINITY
                      : histogram.empty() ? NAN
                                          : static_cast<double>(histogram.max_us());
  return row + fmt::format("| {} |\n", ms_number(most));
}

std::string latency_table(const Outcome& outcome, const PhaseOutcome& m) {
  std::string out = "| ms | p50 | p90 | p95 | p99 | p99.9 | max |\n|---|--:|--:|--:|--:|--:|--:|\n";
  if (outcome.publishes) {
    out += latency_row("delivery", m.delivery, m.undelivered());
    out += latency_row("from the intended instant", m.intended, m.undelivered());
    out += latency_row("late (this tool)", m.late, 0);
  }
  out += latency_row("connect", outcome.connect, outcome.connections.failed_total());
  if (!outcome.resume.latency.empty()) out += latency_row("resume", outcome.resume.latency, 0);
  return out;
}

std::string threshold_table(const Verdict& verdict) {
  if (verdict.thresholds.empty()) return {};
  constexpr std::array kMarks = {"met", "**missed**", "**not measured**"};
  std::string out = "\n| threshold | measured | |\n|---|--:|---|\n";
  for (const ThresholdResult& result : verdict.thresholds) {
    const std::string in =
        result.threshold.phase.empty() ? "" : " in " + cell(result.threshold.phase);
    out += fmt::format("| {}{} | {} | {} |\n", cell(result.threshold.text), in,
                       cell(result.measured_text), kMarks[static_cast<std::size_t>(result.state)]);
  }
  return out;
}

std::string gate_table(const Verdict& verdict) {
  const auto content =
      std::count_if(verdict.gates.begin(), verdict.gates.end(),
                    [](const GateResult& gate) { return gate.verdict == GateVerdict::pass; });
  std::string out = fmt::format(
      "\n<details><summary>{} of {} gates content</summary>\n\n"
      "| gate | | measured | limit |\n|---|---|---|---|\n",
      content, verdict.gates.size());
  for (const GateResult& gate : verdict.gates) {
    const std::string word =
        gate.waived ? std::string("waived") : std::string(gate_verdict_name(gate.verdict));
    out += fmt::format("| {} | {} | {} | {} |\n", cell(gate.name),
                       gate.exit_status != 0 ? "**" + word + "**" : word, cell(gate.measured),
                       cell(gate.limit));
  }
  return out + "\n</details>\n";
}

}  // namespace

std::string markdown_report(const Scenario& scenario, const Outcome& outcome,
                            const Verdict& verdict) {
  const PhaseOutcome m = outcome.measured();
  std::string out = fmt::format("### {}: {}\n\n{}\n\n", verdict_label(outcome, verdict),
                                cell(scenario.name), cell(claim_text(outcome, verdict)));
  for (const Reason& reason : verdict.reasons) out += fmt::format("- {}\n", cell(reason.text));
  if (!verdict.reasons.empty()) out += "\n";
  out += latency_table(outcome, m);
  out += threshold_table(verdict);
  out += fmt::format(
      "\n{} streams held of {}, {} of {} events sent, {} of {} deliveries arrived; lost {}, "
      "duplicate {}, reordered {}{}{}.\n",
      format_count(outcome.connections.held), format_count(outcome.connections.asked),
      format_count(m.sent), format_count(m.offered), format_count(m.received),
      format_count(m.expected), outcome.integrity.lost, outcome.integrity.duplicate,
      outcome.integrity.reorder,
      outcome.integrity.corrupt ? fmt::format(", corrupt {}", *outcome.integrity.corrupt) : "",
      outcome.integrity.unasked != 0 ? fmt::format(", not asked for {}", outcome.integrity.unasked)
                                     : "",
      outcome.integrity.deaf != 0
          ? fmt::format(", subscribers that heard nothing {}", outcome.integrity.deaf)
          : "");
  out += gate_table(verdict);
  for (const std::string& note : outcome.notes) out += fmt::format("\n> {}\n", cell(note));
  out += fmt::format("\n<sub>seed {}, scenario {:.12}, {:.1f} s, {}, {} cores, rtbench {}</sub>\n",
                     outcome.seed, outcome.scenario_sha256, outcome.duration_s,
                     cell(outcome.env.cpu), outcome.env.cores, outcome.env.tool_version);
  return out;
}

}  // namespace rt
