#include "report/html_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/units.h"
#include "load/figures.h"
#include "report/svg_chart.h"

namespace rt {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
// Points of a percentile curve for each factor of ten in 1/(1-q).
constexpr int kPointsPerNine = 30;
constexpr double kMostNines = 5;

// x of a percentile curve: how many nines. 0.9 is 1, 0.99 is 2.
double nines(double quantile) {
  return -std::log10(1 - quantile);
}

std::vector<ChartTick> percentile_ticks() {
  return {{0, "0"},     {nines(0.5), "p50"}, {1, "p90"},    {2, "p99"},
          {3, "p99.9"}, {4, "p99.99"},       {5, "p99.999"}};
}

ChartSeries percentile_curve(std::string name, std::string style, const Histogram& histogram,
                             std::uint64_t missing) {
  ChartSeries out;
  out.name = std::move(name);
  out.style = std::move(style);
  const double total = static_cast<double>(histogram.count() + missing);
  if (total == 0) return out;
  // One value in `total` is as far as a curve can tell.
  const double most = std::min(kMostNines, std::max(1.0, std::log10(total)));
  for (int i = 0; i <= static_cast<int>(most * kPointsPerNine); ++i) {
    const double x = static_cast<double>(i) / kPointsPerNine;
    const double quantile = std::clamp(1 - std::pow(10, -x), 1e-9, 1.0);
    out.points.push_back({x, histogram.percentile_us(quantile, missing) / 1000});
  }
  return out;
}

// Thresholds on deliveries, as lines.
std::vector<ChartLimit> delivery_limits(const Verdict& verdict) {
  std::vector<ChartLimit> out;
  for (const ThresholdResult& result : verdict.thresholds) {
    const Threshold& t = result.threshold;
    if (t.metric != Metric::delivery || t.quantity != Quantity::duration || t.value <= 0) continue;
    if (t.times_baseline || !t.cohort.empty()) continue;
    const auto same = [&](const ChartLimit& limit) { return limit.y == t.value / 1000; };
    if (std::any_of(out.begin(), out.end(), same)) continue;
    out.push_back({t.value / 1000, t.text});
  }
  return out;
}

std::vector<ChartBand> measured_bands(const Outcome& outcome) {
  std::vector<ChartBand> out;
  for (const PhaseOutcome& phase : outcome.phases) {
    if (phase.measured) {
      out.push_back({phase.start_s, phase.start_s + phase.duration_s, phase.name});
    }
  }
  return out;
}

Chart percentiles_chart(const Outcome& outcome, const Verdict& verdict) {
  const PhaseOutcome m = outcome.measured();
  Chart chart;
  chart.title = "Delivery latency by percentile";
  chart.caption = m.undelivered() == 0
                      ? "Every delivery that was due arrived."
                      : fmt::format("{} of {} never arrived: the curve ends where they begin.",
                                    format_count(m.undelivered()), format_count(m.expected));
  chart.x.ticks = percentile_ticks();
  chart.y = {"ms", true, {}};
  chart.series.push_back(percentile_curve(
      outcome.delivery_from_commit ? "commit to client" : "intended instant to client", "s1",
      m.delivery, m.undelivered()));
  if (outcome.delivery_from_commit) {
    chart.series.push_back(
        percentile_curve("intended instant to client", "s2", m.intended, m.undelivered()));
  }
  chart.limits = delivery_limits(verdict);
  return chart;
}

// A chart over the seconds of the run, on the same axis as the others.
Chart over_time(const Outcome& outcome, std::string title, std::string caption, ChartAxis y) {
  Chart chart;
  chart.title = std::move(title);
  chart.caption = std::move(caption);
  chart.x.unit = " s";
  chart.y = std::move(y);
  chart.bands = measured_bands(outcome);
  return chart;
}

template <typename Figure>
void add_series(Chart& chart, const Outcome& outcome, const char* name, const char* style,
                Figure figure, bool filled = false) {
  ChartSeries& series = chart.series.emplace_back();
  series.name = name;
  series.style = style;
  series.filled = filled;
  for (const SecondSample& second : outcome.series) {
    series.points.push_back({second.at_s, figure(second)});
  }
}

Chart latency_chart(const Outcome& outcome, const Verdict& verdict) {
  Chart chart =
      over_time(outcome, "Delivery latency over time",
                "Of what arrived in each second; measured phases are shaded.", {"ms", true, {}});
  const auto add = [&](const char* name, const char* style, double SecondSample::*figure) {
    add_series(chart, outcome, name, style, [figure](const SecondSample& second) {
      return second.received == 0 || second.*figure <= 0 ? kNothing : second.*figure / 1000;
    });
  };
  add("max", "s3", &SecondSample::max_us);
  add("p95", "s1", &SecondSample::p95_us);
  add("p50", "s2", &SecondSample::p50_us);
  chart.limits = delivery_limits(verdict);
  return chart;
}

Chart connections_chart(const Outcome& outcome) {
  Chart chart = over_time(
      outcome, "Connections",
      fmt::format("{} of {} held to the end of what is measured.",
                  format_count(outcome.connections.held), format_count(outcome.connections.asked)),
      {"", false, {}});
  add_series(
      chart, outcome, "open", "s1",
      [](const SecondSample& second) { return static_cast<double>(second.connections); }, true);
  return chart;
}

Chart deliveries_chart(const Outcome& outcome) {
  const PhaseOutcome m = outcome.measured();
  Chart chart = over_time(
      outcome, "Deliveries",
      fmt::format("{} of {} arrived.", format_count(m.received), format_count(m.expected)),
      {"/s", false, {}});
  add_series(
      chart, outcome, "received", "s1",
      [](const SecondSample& second) { return static_cast<double>(second.received); }, true);
  return chart;
}

Chart events_chart(const Outcome& outcome) {
  const PhaseOutcome m = outcome.measured();
  Chart chart = over_time(outcome, "Events published",
                          fmt::format("{} of {} that were due were sent.", format_count(m.sent),
                                      format_count(m.offered)),
                          {"/s", false, {}});
  add_series(chart, outcome, "due", "s2",
             [](const SecondSample& second) { return static_cast<double>(second.offered); });
  add_series(chart, outcome, "sent", "s1",
             [](const SecondSample& second) { return static_cast<double>(second.sent); });
  return chart;
}

Chart lateness_chart(const Outcome& outcome) {
  const PhaseOutcome m = outcome.measured();
  Chart chart = over_time(outcome, "Lateness of this tool",
                          fmt::format("The worst of each second behind the schedule; p99 {}.",
                                      ms_text(m.late.percentile_us(0.99))),
                          {"ms", false, {}});
  add_series(
      chart, outcome, "latest event", "s4",
      [](const SecondSample& second) { return second.late_max_us / 1000; }, true);
  return chart;
}

Chart resumes_chart(const Outcome& outcome) {
  const ResumeCounts& r = outcome.resume;
  Chart chart;
  chart.title = "Resumes";
  chart.caption = fmt::format(
      "{} of {} reconnects resumed, {} deliveries replayed; gaps: {} signalled, {} silent.",
      format_count(r.resumed), format_count(r.attempts), format_count(r.replayed), r.gaps_signalled,
      r.gaps_silent);
  chart.x.ticks = percentile_ticks();
  chart.y = {"ms", true, {}};
  chart.series.push_back(percentile_curve("socket lost to stream open", "s4", r.latency, 0));
  return chart;
}

}  // namespace

std::string html_charts(const Outcome& outcome, const Verdict& verdict) {
  std::string out = "<section class=\"charts\">\n";
  if (outcome.publishes) {
    out += svg_chart(percentiles_chart(outcome, verdict));
    out += svg_chart(latency_chart(outcome, verdict));
  }
  out += svg_chart(connections_chart(outcome));
  if (outcome.publishes) {
    out += svg_chart(deliveries_chart(outcome));
    out += svg_chart(events_chart(outcome));
    out += svg_chart(lateness_chart(outcome));
  }
  if (outcome.resume.attempts > 0) out += svg_chart(resumes_chart(outcome));
  return out + "</section>\n";
}

}  // namespace rt
