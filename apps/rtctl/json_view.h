// JSON as people read it on a terminal: spaced, indented, coloured, long strings folded.
// Works on the text itself, so that key order, number spelling and escapes stay what was sent.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "proto/json_scan.h"

namespace rt::rtctl {

// Valid JSON on one line: line breaks and tabs can only stand between its tokens.
void append_json_line(std::string& out, std::string_view json);

struct JsonStyle {
  bool colour = false;
  std::size_t columns = 100;     // a value that fits in these stays on one line
  std::size_t indent = 0;        // spaces before every line but the first
  std::size_t string_max = 160;  // characters of a string shown before it is folded
};

// `json` must be valid (is_json).
void append_json_pretty(std::string& out, std::string_view json, const JsonStyle& style);

}  // namespace rt::rtctl
