// The gates that look at shapes: does something between hold events back, does rounding decide, and
// how unlike reality is this load?
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/units.h"
#include "load/figures.h"
#include "load/gate_checks.h"

namespace rt {
namespace {

// A delayed acknowledgement ends after 40 ms (Linux, TCP_DELACK_MIN) or 200 ms (others).
struct Mode {
  std::int64_t low_us;
  std::int64_t high_us;
  const char* name;
};
constexpr std::array kModes = {Mode{38'000, 46'000, "40 ms"}, Mode{196'000, 212'000, "200 ms"}};
constexpr double kMostInMode = 0.02;  // of all deliveries
constexpr double kTimesNeighbours = 5;
constexpr double kMostSilent = 0.3;  // of the seconds in which events were sent

std::uint64_t count_within(const Histogram& histogram, std::int64_t low_us, std::int64_t high_us) {
  return histogram.count_above(low_us) - histogram.count_above(high_us);
}

// A peak where a delayed acknowledgement would put one, or nothing.
const Mode* delayed_ack_mode(const Histogram& delivery) {
  for (const Mode& mode : kModes) {
    const std::int64_t width = mode.high_us - mode.low_us;
    const auto inside = static_cast<double>(count_within(delivery, mode.low_us, mode.high_us));
    const auto beside =
        static_cast<double>(count_within(delivery, mode.low_us - width, mode.low_us) +
                            count_within(delivery, mode.high_us, mode.high_us + width));
    const bool large = inside > kMostInMode * static_cast<double>(delivery.count());
    if (large && inside > kTimesNeighbours * beside / 2) return &mode;
  }
  return nullptr;
}

// Seconds in which events were sent, and those of them in which nothing arrived.
struct Silence {
  std::size_t sent = 0;
  std::size_t silent = 0;
  bool broken = false;  // something arrived again after a silence
};

Silence silence_of(const Outcome& outcome) {
  Silence out;
  bool was_silent = false;
  for (const SecondSample& second : outcome.series) {
    if (!second.measured || second.sent == 0) continue;
    ++out.sent;
    out.silent += second.received == 0 ? 1 : 0;
    out.broken = out.broken || (was_silent && second.received > 0);
    was_silent = second.received == 0;
  }
  return out;
}

}  // namespace

GateResult check_buffering(const Evidence& e) {
  const Silence silence = silence_of(e.outcome);
  const Mode* mode = delayed_ack_mode(e.measured.delivery);
  GateResult result = gate_result(
      fmt::format(
          "nothing arrived in {} of {} seconds with events, {}", silence.silent, silence.sent,
          mode == nullptr ? "no peak at 40 or 200 ms" : fmt::format("a peak at {}", mode->name)),
      fmt::format("{} of the seconds, no peak", percent_text(kMostSilent)));
  if (!e.outcome.publishes) return unmeasured(result, "nothing was published");
  // Fewer events than that leave seconds silent by chance.
  constexpr std::size_t kSeconds = 5;
  const bool sparse = e.measured.events < 5 * silence.sent;
  if (silence.sent >= kSeconds && !sparse && silence.broken &&
      static_cast<double>(silence.silent) > kMostSilent * static_cast<double>(silence.sent)) {
    result.verdict = GateVerdict::warn;
    result.hint =
        "events come in bunches: a proxy or compressor on the way holds them back until its buffer "
        "is full or a heartbeat comes (rtctl doctor finds it)";
  } else if (mode != nullptr) {
    result.verdict = GateVerdict::warn;
    result.hint = fmt::format(
        "many deliveries take {}: Nagle's algorithm at the sender waits for a delayed "
        "acknowledgement (TCP_NODELAY is off there; this tool sets it)",
        mode->name);
  }
  return result;
}

GateResult check_rounding(const Evidence& e) {
  GateResult result = gate_result("", "no threshold within the width of a slot");
  for (const Threshold& threshold : e.scenario.thresholds) {
    if (threshold.quantity != Quantity::duration || threshold.value <= 0) continue;
    if (threshold.times_baseline) continue;    // its limit is a measured figure itself
    if (is_worst(threshold.metric)) continue;  // kept so that the limit decides exactly
    const ThresholdResult judged = evaluate(threshold, e.outcome);
    const auto value = static_cast<std::int64_t>(threshold.value);
    const double width = static_cast<double>(Histogram::quantisation_us(value));
    if (result.measured.empty()) {
      result.measured =
          fmt::format("figures are exact to {} at {}", ms_text(width), ms_text(threshold.value));
    }
    if (!std::isfinite(judged.measured) || width == 0) continue;
    if (std::fabs(judged.measured - threshold.value) > width) continue;
    result.measured = fmt::format("{} against {}, exact to {}", judged.measured_text,
                                  threshold.text, ms_text(width));
    return condemn(result, GateVerdict::invalid, kExitInvalid,
                   "rounding would decide: the figure and its threshold are the same to three "
                   "digits");
  }
  if (result.measured.empty()) result.measured = "no latency is claimed";
  return result;
}

GateResult check_realism(const Evidence& e) {
  const Scenario& s = e.scenario;
  std::string unlike;
  const auto add = [&](const char* what) {
    unlike += fmt::format("{}{}", unlike.empty() ? "" : ", ", what);
  };
  const auto constant_ramp = [](const PhaseSpec& phase) {
    return phase.connections && phase.connections->arrival == Arrival::constant;
  };
  if (s.connections() > 1 && s.subscriptions.topics == 1) add("one topic for all");
  if (std::any_of(s.phases.begin(), s.phases.end(), constant_ramp)) {
    add("connections come at a constant rate");
  }
  const auto constant = [](const PublishSpec& publish) {
    return publish.archive.empty() && publish.arrival == Arrival::constant;
  };
  const auto one_size = [](const PublishSpec& publish) {
    return publish.archive.empty() && publish.size.dist == SizeSpec::Dist::fixed;
  };
  if (std::any_of(s.publish.begin(), s.publish.end(), constant)) {
    add("events come at a constant rate");
  }
  if (std::any_of(s.publish.begin(), s.publish.end(), one_size)) add("payloads of one size");
  GateResult result = gate_result(unlike.empty() ? "nothing noticed" : unlike, "like real traffic");
  if (unlike.empty()) return result;
  result.verdict = GateVerdict::warn;
  result.hint = "real traffic bunches and varies: what is measured here is kinder than that";
  return result;
}

}  // namespace rt
