#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "load/figures.h"
#include "report/html_charts.h"
#include "report/slowest.h"
#include "report/summary.h"
#include "report/svg_chart.h"
#include "report/texts.h"

namespace rt {
namespace {

std::string head(const Scenario& scenario, const std::string& label) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<title>{} {}</title>\n<style>\n{}</style>\n</head>\n<body>\n",
      html_escaped(label), html_escaped(scenario.name), kStyleText);
}

std::string verdict_section(const Scenario& scenario, const Outcome& outcome,
                            const Verdict& verdict, const std::string& label) {
  std::string out = fmt::format(
      "<header class=\"verdict {}\"><span class=\"word\">{}</span><h1>{}</h1>"
      "<p class=\"claim\">{}</p><p class=\"when\">{}{} · {} · {}</p>",
      label.substr(0, label.find(' ')), html_escaped(label), html_escaped(scenario.name),
      html_escaped(claim_text(outcome, verdict)), format_rfc3339_ms(outcome.start),
      outcome.partial() ? " · partial" : "",
      format_duration(
          std::chrono::duration_cast<Duration>(std::chrono::duration<double>(outcome.duration_s))),
      html_escaped(outcome.target_url));
  if (!verdict.reasons.empty()) {
    out += "<ul>";
    for (const Reason& reason : verdict.reasons) {
      out += fmt::format("<li>{}</li>", html_escaped(reason.text));
    }
    out += "</ul>";
  }
  return out + "</header>\n";
}

std::string tile(const char* name, const std::string& value, const std::string& more,
                 bool bad = false) {
  return fmt::format("<div{}><dt>{}</dt><dd>{}<small>{}</small></dd></div>\n",
                     bad ? " class=\"bad\"" : "", name, html_escaped(value), html_escaped(more));
}

std::string tiles(const Outcome& outcome) {
  const PhaseOutcome m = outcome.measured();
  const IntegrityCounts& i = outcome.integrity;
  const ConnectionCounts& c = outcome.connections;
  const auto at = [&](double quantile) {
    return ms_number(m.delivery.percentile_us(quantile, m.undelivered()));
  };
  std::string out = "<dl class=\"tiles\">\n";
  if (outcome.publishes) {
    out += tile("Delivery p95", ms_text(m.delivery.percentile_us(0.95, m.undelivered())),
                fmt::format("p50 {} · p99 {} · p99.9 {}", at(0.5), at(0.99), at(0.999)));
    out +=
        tile("Deliveries", format_count(m.received),
             m.undelivered() == 0 ? "all that were due"
                                  : fmt::format("{} never arrived", format_count(m.undelivered())),
             m.undelivered() != 0);
    out += tile("Lost · double · reordered",
                fmt::format("{} · {} · {}", format_count(i.lost), format_count(i.duplicate),
                            format_count(i.reorder)),
                fmt::format("of {} events parsed", format_count(i.parsed)),
                i.lost + i.duplicate + i.reorder != 0);
    if (i.corrupt) {
      out += tile("Corrupt", format_count(*i.corrupt), "not what was published", *i.corrupt != 0);
    }
    if (i.unasked != 0) {
      out += tile("Not asked for", format_count(i.unasked), "of other topics", true);
    }
    if (i.deaf != 0) out += tile("Deaf subscribers", format_count(i.deaf), "heard nothing", true);
    const double seconds = m.duration_s > 0 ? m.duration_s : NAN;
    out +=
        tile("Events", fmt::format("{:.1f}/s", static_cast<double>(m.sent) / seconds),
             fmt::format("offered {:.1f}/s · late p99 {}", static_cast<double>(m.offered) / seconds,
                         ms_text(m.late.percentile_us(0.99))),
             m.sent < m.offered);
  }
  out += tile("Connections", format_count(c.held),
              c.held == c.asked ? "all that were asked for"
                                : fmt::format("of {} asked for", format_count(c.asked)),
              c.held != c.asked);
  const ClientUse& client = outcome.client;
  out += tile("This tool", fmt::format("{:.0f} % busy", client.busy_max * 100),
              client.bytes_per_connection > 0
                  ? format_bytes(client.bytes_per_connection) + " a connection"
                  : std::string("memory not measured"));
  const TargetUse& target = outcome.target;
  out += tile("Target",
              target.sampled ? format_bytes(static_cast<double>(target.rss_bytes)) : "not sampled",
              target.bytes_per_connection > 0
                  ? fmt::format("{} a connection · {:.2f} cores",
                                format_bytes(target.bytes_per_connection), target.cpu_cores)
                  : std::string("give target.pid_file or target.metrics_url"));
  if (outcome.selftest) {
    out += tile("Floor of this machine", ms_text(outcome.selftest->p95_us),
                "p95 against a server that does nothing");
  }
  return out + "</dl>\n";
}

std::string threshold_rows(const Verdict& verdict) {
  if (verdict.thresholds.empty()) return {};
  constexpr std::array kWords = {"met", "missed", "not measured"};
  constexpr std::array kTones = {"pass", "fail", "invalid"};
  std::string out =
      "<h2>Thresholds</h2>\n<div class=\"scroll\"><table><thead><tr><th>Threshold</th><th></th>"
      "<th class=\"n\">Measured</th></tr></thead>\n";
  for (const ThresholdResult& result : verdict.thresholds) {
    const auto state = static_cast<std::size_t>(result.state);
    out += fmt::format(
        "<tr><td><code>{}</code>{}</td><td class=\"mark {}\">{}</td><td class=\"n\">{}</td></tr>\n",
        html_escaped(result.threshold.text),
        result.threshold.phase.empty() ? "" : " in " + html_escaped(result.threshold.phase),
        kTones[state], kWords[state], html_escaped(result.measured_text));
  }
  return out + "</table></div>\n";
}

std::string gate_rows(const Verdict& verdict) {
  std::string out =
      "<h2 id=\"gates\">Can this run be believed?</h2>\n"
      "<div class=\"scroll\"><table class=\"wide\"><thead><tr><th>Gate</th><th></th>"
      "<th>Measured</th><th>Limit</th></tr></thead>\n";
  for (const GateResult& gate : verdict.gates) {
    const std::string hint =
        gate.hint.empty() ? "" : "<span class=\"hinttext\">" + html_escaped(gate.hint) + "</span>";
    const char* const word = gate_verdict_name(gate.verdict);
    out += fmt::format(
        "<tr><td>{}</td><td class=\"mark {}\">{}</td><td data-name=\"measured\">{}{}</td>"
        "<td data-name=\"limit\">{}</td></tr>\n",
        html_escaped(gate.name), gate.waived ? "warn" : word,
        gate.waived ? fmt::format("waived ({})", word) : std::string(word),
        html_escaped(gate.measured), hint, html_escaped(gate.limit));
  }
  return out + "</table></div>\n";
}

std::string latency_row(const std::string& name, const Histogram& h, std::uint64_t missing) {
  if (h.empty() && missing == 0) return {};
  std::string row = fmt::format("<tr><td>{}</td>", html_escaped(name));
  for (const double quantile : {0.5, 0.9, 0.95, 0.99, 0.999}) {
    row += fmt::format("<td class=\"n\">{}</td>", ms_number(h.percentile_us(quantile, missing)));
  }
  const double most = missing > 0 ? INFINITY : static_cast<double>(h.max_us());
  return row + fmt::format("<td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n", ms_number(most),
                           format_count(h.count()));
}

// A stage that the kernel has to measure: when it did not, that is said.
std::string stage_row(const std::string& name, const Histogram& h, bool expected) {
  if (!h.empty() || !expected) return latency_row(name, h, 0);
  return fmt::format("<tr><td>{}</td><td class=\"n\" colspan=\"7\">unmeasured</td></tr>\n",
                     html_escaped(name));
}

std::string latency_rows(const Outcome& outcome) {
  std::string out =
      "<h2>Latencies in milliseconds</h2>\n<div class=\"scroll\"><table><thead><tr><th></th>"
      "<th class=\"n\">p50</th><th class=\"n\">p90</th><th class=\"n\">p95</th>"
      "<th class=\"n\">p99</th><th class=\"n\">p99.9</th><th class=\"n\">max</th>"
      "<th class=\"n\">values</th></tr></thead>\n";
  for (const PhaseOutcome& phase : outcome.phases) {
    if (!phase.measured) continue;
    out += latency_row(phase.name + ": delivery", phase.delivery, phase.undelivered());
    out += latency_row(phase.name + ": from the intended instant", phase.intended,
                       phase.undelivered());
    out += latency_row(phase.name + ": publish", phase.publish,
                       phase.sent - phase.acknowledged + phase.skipped);
    out += latency_row(phase.name + ": late", phase.late, phase.skipped);
    out += latency_row(phase.name + ": commit to wire", phase.commit_to_wire, 0);
    out += stage_row(phase.name + ": wire to parse", phase.receive_queue, outcome.publishes);
  }
  for (const CohortOutcome& cohort : outcome.cohorts) {
    const PhaseOutcome all = cohort.measured();
    out += latency_row(
        fmt::format("cohort {} ({}): delivery", cohort.name, format_count(cohort.connections)),
        all.delivery, all.undelivered());
  }
  out += latency_row("connect", outcome.connect, outcome.connections.failed_total());
  out += latency_row("TLS handshake", outcome.tls, 0);
  out += latency_row("first event", outcome.first_event, 0);
  out += latency_row("resume", outcome.resume.latency, 0);
  out += latency_row("replayed deliveries", outcome.resume.replay, 0);
  out += latency_row("between two signs of life", outcome.heartbeat_gap, 0);
  out += latency_row("loop lag of this tool", outcome.client.loop_lag, 0);
  return out + "</table></div>\n";
}

std::string ending(const Scenario& scenario, const Outcome& outcome) {
  std::string out;
  if (!outcome.notes.empty()) {
    out += "<h2>What to know about this run</h2>\n<ul class=\"notes\">";
    for (const std::string& note : outcome.notes) out += "<li>" + html_escaped(note) + "</li>";
    out += "</ul>\n";
  }
  if (!scenario.expanded.empty()) {
    const auto document = nlohmann::ordered_json::parse(scenario.expanded);
    out += fmt::format(
        "<details><summary>The scenario</summary><pre class=\"mono\">{}</pre></details>\n",
        html_escaped(document.dump(2)));
  }
  const Environment& e = outcome.env;
  out += fmt::format(
      "<footer>Scenario {} · seed {} · rtbench {} {} · {} · {} · {} cores · {} · kernel {}"
      "</footer>\n",
      outcome.scenario_sha256.substr(0, 12), outcome.seed, html_escaped(e.tool_version),
      html_escaped(e.build), html_escaped(e.host), html_escaped(e.cpu), e.cores,
      format_bytes(static_cast<double>(e.memory_bytes)), html_escaped(e.kernel));
  return out;
}

}  // namespace

std::string html_report(const Scenario& scenario, const Outcome& outcome, const Verdict& verdict) {
  const std::string label = verdict_label(outcome, verdict);
  std::string out = head(scenario, label);
  out += verdict_section(scenario, outcome, verdict, label);
  out += tiles(outcome);
  out += html_charts(outcome, verdict);
  out += threshold_rows(verdict);
  out += gate_rows(verdict);
  out += latency_rows(outcome);
  out += slowest_rows(outcome);
  out += ending(scenario, outcome);
  return out + "</body>\n</html>\n";
}

}  // namespace rt
