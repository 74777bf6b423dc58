// A run of the real rtbench: its settings as words, and what it printed and reported.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "integration/running_tool.h"

namespace rt::test {

// Each "PATH=VALUE" behind a --set.
inline void add_settings(std::vector<std::string>& words,
                         const std::vector<std::string>& settings) {
  for (const std::string& setting : settings) {
    words.push_back("--set");
    words.push_back(setting);
  }
}

struct BenchRun {
  Outcome outcome;
  nlohmann::json report;  // discarded if there is none
};

// Reads the JSON report and removes it. What the run printed is shown when the next check fails.
inline BenchRun take_report(Outcome outcome, const std::string& path) {
  BenchRun ran{std::move(outcome), {}};
  UNSCOPED_INFO(ran.outcome.out << ran.outcome.err);
  std::ifstream file(path);
  ran.report = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  std::filesystem::remove(path);
  return ran;
}

}  // namespace rt::test
