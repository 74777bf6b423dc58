// What a tool says of its own verbs: `TOOL --generate json`.
#pragma once

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "integration/running_tool.h"

namespace rt::test {

inline const std::vector<std::string> kTools = {"rtctl", "rtreplay", "rtbench"};

inline nlohmann::json verb_tree(const std::string& tool) {
  const Outcome outcome = run({tool, "--generate", "json"});
  REQUIRE(outcome.status == 0);
  return nlohmann::json::parse(outcome.out);
}

// Calls take(verb) for every verb of the tool, itself included.
template <typename Take>
void each_verb(const nlohmann::json& verb, const Take& take) {
  take(verb);
  for (const auto& inner : verb["verbs"]) each_verb(inner, take);
}

// "rtctl publish run" -> {"rtctl", "publish", "run"}
inline std::vector<std::string> words_of(const nlohmann::json& verb) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : verb["path"].get<std::string>() + " ") {
    if (c == ' ') {
      words.push_back(word);
      word.clear();
    } else {
      word += c;
    }
  }
  return words;
}

}  // namespace rt::test
