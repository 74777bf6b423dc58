// The slowest deliveries, for a person: where to look when a tail is long. Pure; any thread.
#pragma once

#include <string>

#include "load/outcome.h"

namespace rt {

// One line for the few slowest, or nothing.
std::string slowest_line(const Outcome& outcome);
// A table, or nothing: one row a delivery with the time from stage to stage.
std::string slowest_rows(const Outcome& outcome);

}  // namespace rt
