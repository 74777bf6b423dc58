// What the tools say of themselves, held in tests/golden so that a change is reviewed as a diff.
// To accept a change: RT_UPDATE_GOLDEN=1 build/dev/bin/test_cli "[golden]"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "integration/running_tool.h"

namespace rt::test {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The verbs a help text lists under "Subcommands:".
std::vector<std::string> verbs_in(const std::string& help) {
  std::vector<std::string> verbs;
  std::istringstream lines(help);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "Subcommands:") {
      inside = true;
    } else if (line.empty() || line.front() != ' ') {
      inside = false;
    } else if (inside && line.size() > 2 && line[2] != ' ') {
      verbs.push_back(line.substr(2, line.find_first_of(" ,", 2) - 2));
    }
  }
  return verbs;
}

// Every verb of a tool with its help text, parents first.
void collect(std::vector<std::string> words,
             std::vector<std::pair<std::string, std::string>>& found) {
  std::string name;
  for (const std::string& word : words) name += (name.empty() ? "" : "-") + word;
  std::vector<std::string> command = words;
  command.push_back("--help");
  const Outcome outcome = run(command);
  INFO(name << " --help: " << outcome.err);
  REQUIRE(outcome.status == 0);
  found.emplace_back(name, outcome.out);
  for (const std::string& verb : verbs_in(outcome.out)) {
    words.push_back(verb);
    collect(words, found);
    words.pop_back();
  }
}

std::vector<std::pair<std::string, std::string>> all_help() {
  std::vector<std::pair<std::string, std::string>> found;
  for (const char* tool : {"rtctl", "rtreplay", "rtbench"}) collect({tool}, found);
  return found;
}

TEST_CASE("cli: the help of each verb is as reviewed", "[cli][golden]") {
  const bool update = std::getenv("RT_UPDATE_GOLDEN") != nullptr;
  for (const auto& [name, help] : all_help()) {
    const std::string path = std::string(RT_SOURCE_DIR) + "/tests/golden/" + name + ".txt";
    if (update) std::ofstream(path, std::ios::binary) << help;
    INFO(path << "; to accept: RT_UPDATE_GOLDEN=1 build/dev/bin/test_cli \"[golden]\"");
    CHECK(help == read_file(path));
  }
}

TEST_CASE("cli: help has an example for each verb that takes arguments", "[cli]") {
  for (const auto& [name, help] : all_help()) {
    if (help.find("Subcommands:") != help.npos) continue;
    const bool takes_arguments = help.find("Positionals:") != help.npos;
    INFO(name);
    if (takes_arguments) CHECK(help.find("examples:") != help.npos);
  }
}

TEST_CASE("cli: help has no line beyond 110 columns", "[cli]") {
  for (const auto& [name, help] : all_help()) {
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) {
      INFO(name << ": " << line);
      CHECK(line.size() <= 110);
    }
  }
}

TEST_CASE("cli: no escape sequence is written where there is no terminal", "[cli]") {
  for (const char* tool : {"rtctl", "rtreplay", "rtbench"}) {
    for (const char* argument : {"--help", "--nonsense", "codes", "--version"}) {
      const Outcome outcome = run({tool, argument}, "", {{"TERM", "xterm-256color"}});
      INFO(tool << " " << argument);
      CHECK(outcome.out.find('\x1b') == std::string::npos);
      CHECK(outcome.err.find('\x1b') == std::string::npos);
    }
  }
}

}  // namespace
}  // namespace rt::test
