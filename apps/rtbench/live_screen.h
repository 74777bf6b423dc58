// What a person sees of a run under way: a few lines on a terminal, one line elsewhere. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "load/engine.h"

namespace rt::rtbench {

// One line with everything that changes: for logs.
std::string live_line(const EngineProgress& progress);

// Lines of at most `columns`: where the run stands, a bar of connections, rates, and p95 over the
// last seconds as a row of blocks. `history`: the seconds so far, oldest first.
std::vector<std::string> live_screen(const EngineProgress& progress,
                                     std::span<const SecondSample> history, std::size_t columns,
                                     bool colour);

// "▁▂▅█": one block a value, the highest value the full one. Values of 0 are blanks.
std::string blocks(std::span<const double> values);

}  // namespace rt::rtbench
