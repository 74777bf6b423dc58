// What `rtctl top` shows: a screen for a terminal, a line for everything else. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/clock.h"
#include "rtctl/stream_rates.h"

namespace rt::rtctl {

struct TopView {
  std::string source;  // "http://host/path"
  std::string link;    // "connected", "connecting", "not connected: ..."
  Duration elapsed{};
  RateRow total;
  std::vector<RateRow> rows;  // the fastest first
};

// Lines no wider than `columns`, at most `lines` of them, without line ends. What does not fit is
// counted on the last one.
std::vector<std::string> top_screen(const TopView& view, std::size_t columns, std::size_t lines,
                                    bool colour);

// "5s  120 events  12.0/s  3.4 KiB/s  delta 10.0/s  initial 2.0/s"
std::string top_line(const TopView& view);

}  // namespace rt::rtctl
