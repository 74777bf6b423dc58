#include "rtbench/live_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "load/figures.h"

namespace rt::rtbench {
namespace {

constexpr std::size_t kLabel = 12;
constexpr std::size_t kBar = 30;

std::string bar(double share) {
  const auto full = static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * kBar));
  std::string out;
  for (std::size_t i = 0; i < kBar; ++i) out += i < full ? "█" : "░";
  return out;
}

template <typename Figure>
std::vector<double> last_of(std::span<const SecondSample> history, std::size_t count,
                            Figure figure) {
  std::vector<double> out;
  const std::size_t skip = history.size() - std::min(history.size(), count);
  for (const SecondSample& second : history.subspan(skip)) out.push_back(figure(second));
  return out;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<unsigned>(std::max(0.0, seconds));
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string phase_text(const EngineProgress& progress) {
  std::string text = fmt::format("{}  {}", clock_text(progress.elapsed_s), progress.phase);
  if (progress.phase_left_s > 0) {
    text += fmt::format(", {} left", clock_text(progress.phase_left_s));
  }
  return text;
}

}  // namespace

std::string live_line(const EngineProgress& progress) {
  const SecondSample& s = progress.second;
  std::string line =
      fmt::format("{:>5.0f}s  {:<6}  streams {}/{}", progress.elapsed_s, progress.phase,
                  format_count(s.connections), format_count(progress.asked));
  if (progress.gave_up != 0) line += fmt::format(" ({} gave up)", format_count(progress.gave_up));
  if (s.offered != 0 || s.received != 0) {
    line += fmt::format("  sent {}/s  received {}/s", s.sent, s.received);
  }
  if (s.received != 0) {
    line += fmt::format("  p50 {:.2f}  p95 {:.2f} ms", s.p50_us / 1'000, s.p95_us / 1'000);
  }
  if (progress.phase_left_s > 0) line += fmt::format("  {:.0f} s left", progress.phase_left_s);
  return line;
}

std::string blocks(std::span<const double> values) {
  constexpr const char* kBlocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const double most = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
  std::string out;
  for (const double value : values) {
    const double level = most > 0 ? std::ceil(value / most * 8) : 0;
    out += kBlocks[static_cast<std::size_t>(std::clamp(level, 0.0, 8.0))];
  }
  return out;
}

std::vector<std::string> live_screen(const EngineProgress& progress,
                                     std::span<const SecondSample> history, std::size_t columns,
                                     bool colour) {
  const SecondSample& s = progress.second;
  const auto label = [&](const char* text) {
    return fmt::format("{}{:<{}}{}", colour ? "\033[2m" : "", text, kLabel,
                       colour ? "\033[0m" : "");
  };
  // Narrow terminals get no pictures: a line that wraps could not be drawn over.
  const bool wide = columns >= kLabel + kBar + 40;
  const std::size_t room = wide ? std::min<std::size_t>(columns - kLabel - 40, 60) : 0;
  const auto picture = [&](auto figure) {
    return wide ? "  " + blocks(last_of(history, room, figure)) : std::string();
  };
  const double held = static_cast<double>(s.connections);
  const double share = progress.asked == 0 ? 0 : held / static_cast<double>(progress.asked);
  std::vector<std::string> lines;
  lines.push_back(label("run") + phase_text(progress));
  lines.push_back(label("streams") +
                  fmt::format("{}{} of {}{}", wide ? bar(share) + "  " : "",
                              format_count(s.connections), format_count(progress.asked),
                              progress.gave_up == 0
                                  ? ""
                                  : fmt::format(", {} gave up", format_count(progress.gave_up))));
  lines.push_back(label("events") +
                  fmt::format("{:<26}", fmt::format("{}/s of {}/s due", format_count(s.sent),
                                                    format_count(s.offered))) +
                  picture([](const SecondSample& x) { return static_cast<double>(x.sent); }));
  lines.push_back(label("deliveries") + fmt::format("{:<26}", format_count(s.received) + "/s") +
                  picture([](const SecondSample& x) { return static_cast<double>(x.received); }));
  lines.push_back(
      label("p95") +
      fmt::format("{:<26}", s.received == 0
                                ? std::string("-")
                                : fmt::format("{}  (p50 {}, max {})", ms_text(s.p95_us),
                                              ms_number(s.p50_us), ms_number(s.max_us))) +
      picture([](const SecondSample& x) { return x.p95_us; }));
  return lines;
}

}  // namespace rt::rtbench
