// What a stream of ours is attached to, and whether it gets colours.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace rt::cli {

bool is_terminal(int fd);
// A terminal on which lines can be redrawn: not TERM=dumb.
bool is_live_terminal(int fd);
// From COLUMNS, else from the terminal, else 100.
std::size_t terminal_columns(int fd);
std::size_t terminal_lines(int fd);  // from the terminal, else 24

// choice: auto, always, never (--color). Auto: a terminal that is not dumb, NO_COLOR not set; or
// FORCE_COLOR set (https://no-color.org, https://force-color.org). An explicit choice wins.
Result<bool> use_colour(const std::string& choice, int fd);

}  // namespace rt::cli
