// A scenario's file of topics: who follows and what is published as a real system has it, instead
// of a distribution. One name a line, or its weight, a tab and its name; a name that comes again
// adds to its weight, so that a log of topics serves as it is. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rt {

struct TopicFile {
  std::vector<std::string> names;      // each once, in the order of the file
  std::vector<std::uint64_t> weights;  // of each name; above 0
  std::string sha256;                  // of the file's bytes
};

// Code::usage with the path, and the line if one is wrong.
Result<TopicFile> read_topic_file(const std::string& path);
// The same from text; `path` is for messages.
Result<TopicFile> parse_topic_file(std::string_view text, const std::string& path);

}  // namespace rt
