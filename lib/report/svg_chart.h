// Line charts as SVG inside HTML: axes with round ticks, lines that end where there is no value,
// limits, and bands for phases. Colours come from the style sheet of the page (classes), so that a
// chart follows light, dark and print. Nothing is scripted; pointing at a column shows its values.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rt {

struct ChartPoint {
  double x = 0;
  double y = 0;  // not finite: the line has a gap
};

struct ChartSeries {
  std::string name;   // in the legend
  std::string style;  // CSS class of its colour: "s1" .. "s4"
  std::vector<ChartPoint> points;
  bool filled = false;
};

struct ChartTick {
  double at = 0;
  std::string label;
};

struct ChartAxis {
  std::string unit;  // "ms", "s", "/s"
  bool logarithmic = false;
  std::vector<ChartTick> ticks;  // empty: round numbers
};

struct ChartBand {  // from `from` to `to` on the x axis
  double from = 0;
  double to = 0;
  std::string name;
};

struct ChartLimit {  // a line at `y`
  double y = 0;
  std::string label;
};

struct Chart {
  std::string title;
  std::string caption;  // one sentence under the title: what it says
  ChartAxis x;
  ChartAxis y;
  std::vector<ChartSeries> series;
  std::vector<ChartBand> bands;
  std::vector<ChartLimit> limits;
};

// A <figure> with title, legend and picture. A chart without a finite value is a sentence instead.
std::string svg_chart(const Chart& chart);

// For text between tags and in attributes.
std::string html_escaped(std::string_view text);

// Round numbers that cover [low, high]: about five of them, or 1-2-5 steps when logarithmic.
std::vector<ChartTick> round_ticks(double low, double high, bool logarithmic);

}  // namespace rt
