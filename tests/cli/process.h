// One run of a built tool: arguments in, exit status and both outputs out. Never waits longer than
// its deadline. One thread.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace rt::cli_test {

struct Command {
  std::vector<std::string>
      words;          // the tool's name, looked up among the built ones, and its arguments
  std::string input;  // its standard input
  // NAME=VALUE, added to a bare environment: what a developer has set must not change a test.
  std::vector<std::pair<std::string, std::string>> environment;
  bool close_output = false;          // standard output is a pipe whose reader is gone
  std::chrono::seconds deadline{20};  // far beyond what any case needs, even with sanitizers
};

struct Outcome {
  int status = -1;  // exit status; 128 + signal if killed by one
  bool timed_out = false;
  std::string out;
  std::string err;
};

Outcome run(const Command& command);

// The last line of `text`, without its newline.
std::string last_line(const std::string& text);

}  // namespace rt::cli_test
