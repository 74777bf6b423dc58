// Runs a user's command over the first transactions of a recording, as `rtreplay bisect` does:
// their rows come on its standard input as lines of `cat`. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "archive/reader.h"
#include "base/result.h"

namespace rt::rtreplay {

// What a recording is cut into: whole transactions and records outside them, or single rows.
enum class BisectUnit : std::uint8_t { transaction, row };

// Counts the units that have lines; reads the recording once.
Result<std::uint64_t> count_units(archive::Reader& reader, BisectUnit unit);
// The lines of unit `number` (from 0), at most `lines_max`, and "..." if there are more.
Result<std::string> lines_of_unit(archive::Reader& reader, BisectUnit unit, std::uint64_t number,
                                  std::size_t lines_max);

// True if the command ends with 0 after the first `units` were written to it. Its output goes to
// standard error, or nowhere. Code::usage if it cannot be run (126, 127). A command need not read
// everything.
Result<bool> passes(archive::Reader& reader, BisectUnit unit, std::uint64_t units,
                    const std::vector<std::string>& command, bool show_output);

}  // namespace rt::rtreplay
