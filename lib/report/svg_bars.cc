#include "report/svg_bars.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace rt::report {
namespace {

constexpr double kHeight = 100;
constexpr double kLeast = 1;  // of a bar that is not 0: one part in a hundred
constexpr double kStep = 10;  // width of a bar and its distance to the next
constexpr double kBarWidth = 8.6;

void append_title(std::string& out, const std::string& title) {
  out += "<title>";
  append_markup_text(out, title);
  out += "</title>";
}

}  // namespace

void append_svg(std::string& out, const SvgBars& picture) {
  double top = 0;
  for (const SvgBar& bar : picture.bars) top = std::max(top, bar.value);
  const double width = kStep * static_cast<double>(std::max<std::size_t>(1, picture.bars.size()));
  const auto into = std::back_inserter(out);
  fmt::format_to(into, R"(<svg viewBox="0 0 {:.0f} {:.0f}" preserveAspectRatio="none" role="img" )",
                 width, kHeight);
  out += "aria-label=\"";
  append_markup_text(out, picture.label);
  out += "\">\n";
  for (std::size_t i = 0; i < picture.bars.size(); ++i) {
    const SvgBar& bar = picture.bars[i];
    const double x = kStep * static_cast<double>(i) + (kStep - kBarWidth) / 2;
    const double height = bar.value <= 0 ? 0 : std::max(kLeast, bar.value / top * kHeight);
    // The whole column answers to the pointer, not only what is coloured.
    fmt::format_to(into,
                   R"(<g><rect class="back" x="{:.1f}" y="0" width="{:.1f}" height="{:.0f}"/>)",
                   kStep * static_cast<double>(i), kStep, kHeight);
    if (height > 0) {
      fmt::format_to(into,
                     R"(<rect class="bar" x="{:.1f}" y="{:.2f}" width="{:.1f}" height="{:.2f}"/>)",
                     x, kHeight - height, kBarWidth, height);
    }
    append_title(out, bar.title);
    out += "</g>\n";
  }
  for (const SvgLine& line : picture.lines) {
    const double x = std::clamp(line.at, 0.0, 1.0) * width;
    fmt::format_to(into, R"(<g><line class="line" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1:.0f}"/>)",
                   x, kHeight);
    append_title(out, line.title);
    out += "</g>\n";
  }
  out += "</svg>\n";
}

}  // namespace rt::report
