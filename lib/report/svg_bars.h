// A row of columns as an inline SVG picture without text: labels around it are HTML, so that they
// stay readable at any width. Colours come from the page: classes "bar" and "line". Pure.
#pragma once

#include <string>
#include <vector>

namespace rt::report {

struct SvgBar {
  double value = 0;   // not negative
  std::string title;  // shown when pointed at
};

struct SvgLine {
  double at = 0;  // 0 is the left edge, 1 the right one
  std::string title;
};

struct SvgBars {
  std::string label;  // what a screen reader says of the whole
  std::vector<SvgBar> bars;
  std::vector<SvgLine> lines;  // upright, over all bars
};

// The highest bar fills the height. A value above 0 is always visible.
void append_svg(std::string& out, const SvgBars& picture);

}  // namespace rt::report
