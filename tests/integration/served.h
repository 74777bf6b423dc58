// A real `rtctl serve` on a free port, for a test to be run against.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "integration/private_postgres.h"
#include "integration/running_tool.h"
#include "temp_folder.h"

namespace rt::test {

struct Served {
  // more: its options beside --listen.
  explicit Served(const std::vector<std::string>& more) {
    std::vector<std::string> words = {"rtctl", "serve", "--listen", "127.0.0.1:0"};
    words.insert(words.end(), more.begin(), more.end());
    tool = std::make_unique<RunningTool>(words);
    const bool serving = tool->wait_for("rtctl: serving");
    INFO(tool->error_text());
    REQUIRE(serving);
    const std::string& text = tool->error_text();
    const std::size_t at = text.find("url=http") + 4;
    origin = text.substr(at, text.find(' ', at) - at);
  }
  std::string address() const { return origin.substr(origin.find("//") + 2); }
  std::unique_ptr<RunningTool> tool;
  std::string origin;  // "http://127.0.0.1:PORT", or https
};

// The rows of a PostgreSQL that it prepares, with a past of them.
struct ServedRuns {
  explicit ServedRuns(const PrivatePostgres& postgres)
      : set_up(run({"rtctl", "setup", "--pg", postgres.dsn()}).status),
        served({"--surfaces", "runs", "--pg", postgres.dsn(), "--history", history / "runs"}) {
    REQUIRE(set_up == 0);
    REQUIRE(served.tool->wait_for("streaming from"));
  }
  const std::string& origin() const { return served.origin; }
  TempFolder history;
  int set_up;
  Served served;
};

}  // namespace rt::test
