#include "rtctl/top_screen.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "rtctl/terminal_text.h"

namespace rt::rtctl {
namespace {

constexpr std::size_t kNumbersWidth = 66;  // of the columns after the name
constexpr std::size_t kNameMin = 12;

std::string rate(double per_s) {
  return per_s >= 1000 ? fmt::format("{:.1f}k", per_s / 1000) : fmt::format("{:.1f}", per_s);
}

std::string age(const std::optional<double>& ms) {
  if (!ms) return "-";
  // Clocks differ: an event may seem to come from the future.
  const auto ns = std::chrono::duration<double, std::milli>(std::max(*ms, 0.0));
  return format_duration(std::chrono::duration_cast<Duration>(ns));
}

std::string whole_seconds(Duration d) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(std::max(d, Duration::zero()));
  return seconds.count() == 0 ? "0s" : format_duration(seconds);
}

// One column a character is assumed: names are words. Whole characters only.
std::string cut(std::string_view text, std::size_t width) {
  std::string shown;
  append_visible(shown, text);
  std::size_t columns = 0;
  std::size_t end = 0;
  for (; end < shown.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(shown[end]) & 0xC0) != 0x80;
    if (begins && columns++ == width) break;
  }
  shown.resize(end);
  return shown;
}

std::string padded(std::string_view text, std::size_t width) {
  std::string shown = cut(text, width);
  const auto columns = std::count_if(shown.begin(), shown.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  shown.append(width - static_cast<std::size_t>(columns), ' ');
  return shown;
}

std::string row_text(const RateRow& row, std::string_view name, std::size_t name_width) {
  return fmt::format("{} {:>11} {:>8} {:>8} {:>11} {:>8} {:>8} {:>6}", padded(name, name_width),
                     format_count(row.events), rate(row.per_s), rate(row.per_s_10),
                     format_bytes(row.bytes_per_s) + "/s", age(row.age_p50_ms), age(row.age_p95_ms),
                     row.events == 0 ? "-" : whole_seconds(row.silent));
}

std::string styled(const char* style, const std::string& text, bool colour) {
  return colour ? style + text + "\x1b[0m" : text;
}

}  // namespace

std::vector<std::string> top_screen(const TopView& view, std::size_t columns, std::size_t lines,
                                    bool colour) {
  std::size_t name_width =
      columns > kNumbersWidth + kNameMin ? columns - kNumbersWidth - 1 : kNameMin;
  std::size_t longest = kNameMin;
  for (const RateRow& row : view.rows) longest = std::max(longest, row.key.size());
  name_width = std::min(name_width, longest);
  const auto fit = [&](const std::string& line) { return cut(line, columns); };
  std::vector<std::string> out;
  out.push_back(
      fit(fmt::format("{}  {}  {}", view.source, view.link, whole_seconds(view.elapsed))));
  const std::string heads =
      fmt::format("{} {:>11} {:>8} {:>8} {:>11} {:>8} {:>8} {:>6}", padded("STREAM", name_width),
                  "EVENTS", "1s", "10s", "BYTES", "AGE p50", "p95", "LAST");
  out.push_back(styled("\x1b[2m", fit(heads), colour));
  out.push_back(styled("\x1b[1m", fit(row_text(view.total, "all", name_width)), colour));
  // Three lines are taken; one is kept for what does not fit.
  const std::size_t room = lines > 3 ? lines - 3 : 0;
  const bool all_fit = view.rows.size() <= room;
  const std::size_t shown = all_fit ? view.rows.size() : (room == 0 ? 0 : room - 1);
  for (std::size_t i = 0; i < shown; ++i) {
    out.push_back(fit(row_text(view.rows[i], view.rows[i].key, name_width)));
  }
  if (!all_fit && room > 0) {
    out.push_back(fit(fmt::format("and {} more", view.rows.size() - shown)));
  }
  if (out.size() > lines) out.resize(lines);
  return out;
}

std::string top_line(const TopView& view) {
  std::string line = fmt::format("{}  {} {}  {}/s  {}/s", whole_seconds(view.elapsed),
                                 view.total.events, view.total.events == 1 ? "event" : "events",
                                 rate(view.total.per_s), format_bytes(view.total.bytes_per_s));
  constexpr std::size_t kNamed = 3;
  for (std::size_t i = 0; i < std::min(kNamed, view.rows.size()); ++i) {
    std::string name;
    append_folded(name, view.rows[i].key, 40);
    line += fmt::format("  {} {}/s", name, rate(view.rows[i].per_s));
  }
  return line;
}

}  // namespace rt::rtctl
