// The files of a history: segments of an archive, and below state/ what those that were deleted
// came to. A state is a recording of its own, "state/<number>.rtr": the rows as they were at the
// end of segment <number>. Whoever reads the history begins with it and goes on with the segments
// after it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace rt::server {

struct HistorySegment {
  std::string path;
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
  std::int64_t written_us = 0;  // Unix us: the last time
};
// Oldest first; none: there is no history yet.
Result<std::vector<HistorySegment>> history_segments(const std::string& directory);

struct HistoryState {
  std::string path;
  std::uint64_t number = 0;  // of the last segment in it
  std::uint64_t bytes = 0;
};
// The newest one.
std::optional<HistoryState> history_state(const std::string& directory);

std::string history_state_path(const std::string& directory, std::uint64_t number);
// A state that is being written. Whatever is there when a server starts is half of one.
std::string unfinished_state_path(const std::string& directory);

// Removes what a newer state has made superfluous: a stop between its birth and their removal
// leaves it. Returns how many segments that were.
Result<std::size_t> remove_folded(const std::string& directory);

}  // namespace rt::server
