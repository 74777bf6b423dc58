#include "report/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "report/svg_scale.h"

namespace rt {
namespace {

// In units of the picture; a phone shows it at 0.7, a wide window at about 1.2.
constexpr double kWidth = 520;
constexpr double kHeight = 250;
constexpr double kLeft = 46;
constexpr double kRight = 10;
constexpr double kTop = 14;
constexpr double kBottom = 30;
// More points than pixels say nothing more; of those that share one, the highest is drawn.
constexpr std::size_t kPointsMax = 400;

std::string coordinates(double x, double y) {
  return fmt::format("{:.1f},{:.1f}", x, y);
}

struct Frame {
  ChartScale x;
  ChartScale y;
  double at_x(double value) const { return kLeft + x.share(value) * (kWidth - kLeft - kRight); }
  double at_y(double value) const {
    return kHeight - kBottom - y.share(value) * (kHeight - kTop - kBottom);
  }
};

std::vector<ChartPoint> thinned(const std::vector<ChartPoint>& points) {
  if (points.size() <= kPointsMax) return points;
  const std::size_t group = (points.size() + kPointsMax - 1) / kPointsMax;
  std::vector<ChartPoint> out;
  for (std::size_t i = 0; i < points.size(); i += group) {
    ChartPoint highest = points[i];
    for (std::size_t j = i; j < std::min(points.size(), i + group); ++j) {
      if (!std::isfinite(highest.y) || points[j].y > highest.y) highest.y = points[j].y;
    }
    out.push_back(highest);
  }
  return out;
}

// Stretches of finite values, each a path of its own; one alone is a dot.
std::string lines(const ChartSeries& series, const Frame& frame) {
  std::string out;
  std::vector<ChartPoint> stretch;
  const auto finish = [&] {
    if (stretch.size() == 1) {
      out += fmt::format("<circle class=\"dot {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"/>",
                         series.style, frame.at_x(stretch[0].x), frame.at_y(stretch[0].y));
    } else if (!stretch.empty()) {
      std::string path;
      for (const ChartPoint& point : stretch) {
        path += (path.empty() ? "M" : "L") + coordinates(frame.at_x(point.x), frame.at_y(point.y));
      }
      if (series.filled) {
        const double floor = kHeight - kBottom;
        out += fmt::format("<path class=\"fill {}\" d=\"{}L{}L{}Z\"/>", series.style, path,
                           coordinates(frame.at_x(stretch.back().x), floor),
                           coordinates(frame.at_x(stretch.front().x), floor));
      }
      out += fmt::format("<path class=\"line {}\" d=\"{}\"/>", series.style, path);
    }
    stretch.clear();
  };
  for (const ChartPoint& point : thinned(series.points)) {
    if (std::isfinite(point.y)) {
      stretch.push_back(point);
    } else {
      finish();
    }
  }
  finish();
  return out;
}

std::string grid(const Chart& chart, const Frame& frame) {
  std::string out;
  const double floor = kHeight - kBottom;
  for (const ChartTick& tick : frame.y.ticks()) {
    const double y = frame.at_y(tick.at);
    out += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"tick\" x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>",
        kLeft, kWidth - kRight, y, kLeft - 6, y + 3.5, html_escaped(tick.label));
  }
  for (const ChartTick& tick : frame.x.ticks()) {
    const double x = frame.at_x(tick.at);
    out += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{}</text>", x,
                       floor + 16, x > kWidth - kRight - 12 ? "end" : "middle",
                       html_escaped(tick.label));
  }
  out += fmt::format("<line class=\"axis\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>", kLeft,
                     kWidth - kRight, floor, floor);
  out += fmt::format("<text class=\"unit\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
                     kWidth - kRight, kHeight - 2, html_escaped(chart.x.unit));
  return out;
}

std::string bands(const Chart& chart, const Frame& frame) {
  std::string out;
  for (const ChartBand& band : chart.bands) {
    const double from = frame.at_x(std::max(band.from, frame.x.low()));
    const double to = frame.at_x(std::min(band.to, frame.x.high()));
    if (to <= from) continue;
    out +=
        fmt::format("<rect class=\"band\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>",
                    from, kTop, to - from, kHeight - kTop - kBottom);
    if (to - from > 24) {
      out += fmt::format("<text class=\"bandname\" x=\"{:.1f}\" y=\"{}\">{}</text>", from + 4,
                         kHeight - kBottom - 6, html_escaped(band.name));
    }
  }
  return out;
}

std::string limits(const Chart& chart, const Frame& frame) {
  std::string out;
  for (const ChartLimit& limit : chart.limits) {
    const double y = frame.at_y(limit.y);
    out += fmt::format(
        "<line class=\"limit\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"limitname\" x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>",
        kLeft, kWidth - kRight, y, kWidth - kRight - 4, y - 4, html_escaped(limit.label));
  }
  return out;
}

// Columns without colour that name the values under the pointer.
std::string hints(const Chart& chart, const Frame& frame) {
  std::string out;
  const std::vector<ChartPoint> columns = thinned(chart.series.front().points);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const double here = frame.at_x(columns[i].x);
    const double left = i == 0 ? kLeft : (frame.at_x(columns[i - 1].x) + here) / 2;
    const double right =
        i + 1 == columns.size() ? kWidth - kRight : (frame.at_x(columns[i + 1].x) + here) / 2;
    std::string text = frame.x.label(columns[i].x) + (chart.x.ticks.empty() ? chart.x.unit : "");
    for (const ChartSeries& series : chart.series) {
      const std::vector<ChartPoint> points = thinned(series.points);
      if (i >= points.size() || !std::isfinite(points[i].y)) continue;
      text += fmt::format("\n{}: {:.4g} {}", series.name, points[i].y, chart.y.unit);
    }
    out += fmt::format(
        "<rect class=\"hint\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\">"
        "<title>{}</title></rect>",
        left, kTop, std::max(right - left, 0.1), kHeight - kTop - kBottom, html_escaped(text));
  }
  return out;
}

std::string legend(const Chart& chart) {
  if (chart.series.size() < 2) return {};
  std::string out = "<p class=\"legend\">";
  for (const ChartSeries& series : chart.series) {
    out += fmt::format("<span class=\"{}\">{}</span> ", series.style, html_escaped(series.name));
  }
  return out + "</p>";
}

Frame frame_of(const Chart& chart) {
  ChartScale x(chart.x);
  ChartScale y(chart.y);
  for (const ChartSeries& series : chart.series) {
    for (const ChartPoint& point : series.points) {
      x.cover(point.x);
      y.cover(point.y);
    }
  }
  for (const ChartLimit& limit : chart.limits) y.cover(limit.y);
  x.settle(/*round=*/false);
  y.settle(/*round=*/true);
  return {x, y};
}

}  // namespace

std::string svg_chart(const Chart& chart) {
  std::string out = fmt::format("<figure><h3>{} <small>{}</small></h3><p class=\"caption\">{}</p>",
                                html_escaped(chart.title), html_escaped(chart.y.unit),
                                html_escaped(chart.caption));
  const bool empty =
      std::none_of(chart.series.begin(), chart.series.end(), [](const ChartSeries& series) {
        return std::any_of(series.points.begin(), series.points.end(),
                           [](const ChartPoint& point) { return std::isfinite(point.y); });
      });
  if (empty) return out + "<p class=\"nothing\">Nothing was measured.</p></figure>\n";
  const Frame frame = frame_of(chart);
  out += legend(chart);
  out += fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" "
      "preserveAspectRatio=\"xMidYMid meet\">",
      kWidth, kHeight, html_escaped(chart.title + ". " + chart.caption));
  out += bands(chart, frame) + grid(chart, frame);
  for (const ChartSeries& series : chart.series) out += lines(series, frame);
  out += limits(chart, frame) + hints(chart, frame);
  return out + "</svg></figure>\n";
}

std::string html_escaped(std::string_view text) {
  std::string out;
  append_markup_text(out, text);
  return out;
}

}  // namespace rt
