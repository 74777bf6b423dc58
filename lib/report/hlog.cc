#include "report/hlog.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "report/hdr_encoding.h"

namespace rt {
namespace {

// A tag ends at the comma; blanks and line ends would break the line.
std::string tag_of(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return c == ',' || static_cast<unsigned char>(c) <= ' '; }, '_');
  return text;
}

void append_interval(std::string& out, const std::string& tag, double start_s, double length_s,
                     const Histogram& histogram) {
  if (histogram.empty()) return;
  const std::int64_t top = std::clamp(histogram.max_us(), Histogram::kMinUs, Histogram::kMaxUs);
  out += fmt::format("Tag={},{:.3f},{:.3f},{:.3f},{}\n", tag_of(tag), start_s, length_s,
                     static_cast<double>(top) / 1000, hdr_base64(histogram));
}

}  // namespace

std::string hlog_report(const Outcome& outcome) {
  const double start = static_cast<double>(unix_us(outcome.start)) / 1e6;
  std::string out = fmt::format(
      "#[rtbench {}, scenario {}; values in microseconds]\n"
      "#[Histogram log format version 1.3]\n"
      "#[BaseTime: {:.3f} (seconds since epoch)]\n"
      "#[StartTime: {:.3f} (seconds since epoch), {}]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
      "\"Interval_Compressed_Histogram\"\n",
      outcome.env.tool_version, tag_of(outcome.scenario), start, start,
      format_rfc3339(outcome.start));
  for (const SecondSample& second : outcome.series) {
    const auto histogram = Histogram::from_sparse(second.delivery);
    if (histogram) append_interval(out, "delivery", std::max(0.0, second.at_s - 1), 1, *histogram);
  }
  for (const PhaseOutcome& phase : outcome.phases) {
    const auto add = [&](const char* name, const Histogram& histogram) {
      append_interval(out, phase.name + "." + name, phase.start_s, phase.duration_s, histogram);
    };
    add("delivery", phase.delivery);
    add("intended", phase.intended);
    add("publish", phase.publish);
    add("late", phase.late);
    add("commit_to_wire", phase.commit_to_wire);
    add("receive_queue", phase.receive_queue);
  }
  for (const CohortOutcome& cohort : outcome.cohorts) {
    append_interval(out, "cohort." + cohort.name + ".delivery", 0, outcome.duration_s,
                    cohort.measured().delivery);
  }
  append_interval(out, "connect", 0, outcome.duration_s, outcome.connect);
  append_interval(out, "tls", 0, outcome.duration_s, outcome.tls);
  append_interval(out, "first_event", 0, outcome.duration_s, outcome.first_event);
  append_interval(out, "resume", 0, outcome.duration_s, outcome.resume.latency);
  append_interval(out, "replay", 0, outcome.duration_s, outcome.resume.replay);
  append_interval(out, "heartbeat_gap", 0, outcome.duration_s, outcome.heartbeat_gap);
  append_interval(out, "loop_lag", 0, outcome.duration_s, outcome.client.loop_lag);
  return out;
}

}  // namespace rt
