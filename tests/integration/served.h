// A real `rtctl serve` on a free port, for a test to be run against.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "integration/running_tool.h"

namespace rt::test {

struct Served {
  // more: its options beside --listen.
  explicit Served(const std::vector<std::string>& more) {
    std::vector<std::string> words = {"rtctl", "serve", "--listen", "127.0.0.1:0"};
    words.insert(words.end(), more.begin(), more.end());
    tool = std::make_unique<RunningTool>(words);
    REQUIRE(tool->wait_for("rtctl: serving"));
    const std::string& text = tool->error_text();
    const std::size_t at = text.find("url=http") + 4;
    origin = text.substr(at, text.find(' ', at) - at);
  }
  std::unique_ptr<RunningTool> tool;
  std::string origin;  // "http://127.0.0.1:PORT", or https
};

}  // namespace rt::test
