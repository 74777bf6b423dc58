#include "report/prometheus.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace rt {
namespace {

// Label values: backslash, quote and line feed are escaped.
std::string quoted(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

class Page {
 public:
  explicit Page(std::string_view scenario) : labels_("scenario=" + quoted(scenario)) {}

  void family(std::string_view name, std::string_view type, std::string_view help) {
    text_ += fmt::format("# HELP rtbench_{} {}\n# TYPE rtbench_{} {}\n", name, help, name, type);
  }
  void sample(std::string_view name, double value, std::string_view more = {}) {
    text_ += fmt::format("rtbench_{}{{{}{}{}}} {}\n", name, labels_, more.empty() ? "" : ",", more,
                         number(value));
  }
  void sample(std::string_view name, std::uint64_t value, std::string_view more = {}) {
    sample(name, static_cast<double>(value), more);
  }
  template <typename T>
  void single(std::string_view name, std::string_view type, std::string_view help, T value) {
    family(name, type, help);
    sample(name, value);
  }
  // Seconds. What never came is in the count and in the quantiles, not in the sum.
  void summary(const std::string& name, std::string_view help, const Histogram& histogram,
               std::uint64_t missing) {
    constexpr std::array kQuantiles = {0.5, 0.9, 0.95, 0.99, 0.999};
    family(name, "summary", help);
    for (const double quantile : kQuantiles) {
      sample(name, histogram.percentile_us(quantile, missing) / 1e6,
             fmt::format("quantile=\"{}\"", quantile));
    }
    sample(name + "_sum", histogram.mean_us() * static_cast<double>(histogram.count()) / 1e6);
    sample(name + "_count", histogram.count() + missing);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string labels_;
  std::string text_;
};

void add_judgement(Page& page, const Verdict& verdict) {
  page.family("verdict", "gauge", "1 for the verdict of the run");
  for (const VerdictWord word : {VerdictWord::pass, VerdictWord::fail, VerdictWord::invalid}) {
    page.sample("verdict", word == verdict.word ? 1.0 : 0.0,
                "verdict=" + quoted(verdict_word(word)));
  }
  page.family("gate_content", "gauge", "1 when the gate is content or waived");
  for (const GateResult& gate : verdict.gates) {
    page.sample("gate_content", gate.exit_status == 0 ? 1.0 : 0.0, "gate=" + quoted(gate.name));
  }
  if (verdict.thresholds.empty()) return;
  page.family("threshold_met", "gauge", "1 when the threshold holds");
  for (const ThresholdResult& result : verdict.thresholds) {
    page.sample("threshold_met", result.state == ThresholdState::pass ? 1.0 : 0.0,
                fmt::format("threshold={},phase={}", quoted(result.threshold.text),
                            quoted(result.threshold.phase)));
  }
}

}  // namespace

std::string prometheus_report(const Outcome& outcome, const Verdict& verdict) {
  const PhaseOutcome m = outcome.measured();
  Page page(outcome.scenario);
  add_judgement(page, verdict);
  page.summary("delivery_seconds", "Commit to parsed event", m.delivery, m.undelivered());
  page.summary("intended_seconds", "Intended publish instant to parsed event", m.intended,
               m.undelivered());
  page.summary("late_seconds", "Lateness of this tool's own schedule", m.late, 0);
  page.summary("connect_seconds", "connect() to response head", outcome.connect,
               outcome.connections.failed_total());
  page.single("connections_asked", "gauge", "Connections the scenario wanted",
              outcome.connections.asked);
  page.single("connections_held", "gauge", "Connections held to the end", outcome.connections.held);
  page.single("events_offered", "gauge", "Events due in measured phases", m.offered);
  page.single("events_sent", "gauge", "Events sent in measured phases", m.sent);
  page.single("deliveries_expected", "gauge", "Deliveries due in measured phases", m.expected);
  page.single("deliveries_received", "gauge", "Deliveries that arrived", m.received);
  page.family("integrity", "gauge",
              "Deliveries lost, duplicate, out of order, corrupt, not asked for; subscribers that "
              "heard nothing");
  page.sample("integrity", outcome.integrity.lost, "kind=\"lost\"");
  page.sample("integrity", outcome.integrity.duplicate, "kind=\"duplicate\"");
  page.sample("integrity", outcome.integrity.reorder, "kind=\"reorder\"");
  if (const auto& corrupt = outcome.integrity.corrupt) {
    page.sample("integrity", *corrupt, "kind=\"corrupt\"");
  }
  page.sample("integrity", outcome.integrity.unasked, "kind=\"unasked\"");
  page.sample("integrity", outcome.integrity.deaf, "kind=\"deaf\"");
  page.single("client_bytes_per_connection", "gauge", "Memory of this tool for one connection",
              outcome.client.bytes_per_connection);
  page.single("client_busy_ratio", "gauge", "Share of time the busiest thread worked",
              outcome.client.busy_max);
  return page.take();
}

std::string prometheus_live(const LiveFigures& live) {
  Page page(live.scenario);
  page.family("phase", "gauge", "1 for the phase under way");
  page.sample("phase", 1.0, "phase=" + quoted(live.phase));
  page.single("elapsed_seconds", "gauge", "Time since the run began", live.elapsed_s);
  page.single("connections_asked", "gauge", "Connections the scenario wants", live.asked);
  page.single("connections_held", "gauge", "Connections open and answered",
              live.second.connections);
  page.single("connections_gave_up", "gauge", "Connections that will not be tried again",
              live.gave_up);
  page.single("events_offered_total", "counter", "Events due so far", live.offered);
  page.single("events_sent_total", "counter", "Events sent so far", live.sent);
  page.single("deliveries_received_total", "counter", "Deliveries that arrived so far",
              live.received);
  page.family("delivery_last_second", "gauge", "Delivery latency of the last second, in seconds");
  page.sample("delivery_last_second", live.second.p50_us / 1e6, "quantile=\"0.5\"");
  page.sample("delivery_last_second", live.second.p95_us / 1e6, "quantile=\"0.95\"");
  page.sample("delivery_last_second", live.second.max_us / 1e6, "quantile=\"1\"");
  return page.take();
}

}  // namespace rt
