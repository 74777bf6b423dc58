// rtreplay verify --received: did each subscriber get what the recording says?
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/tool.h"

namespace rt::rtreplay {

struct ReceivedOptions {
  std::vector<std::string> logs;  // one a subscriber
  std::string surface = "auto";
  std::string from;
  std::string to;
  std::string run_id;
  std::string env_id;
  std::vector<std::string> tags;
  std::string tags_match = "any";
  std::vector<std::string> tables;
  std::string recover;
  bool json = false;
};

void declare_received(CLI::App* app, ReceivedOptions& options);
// 0: every subscriber has everything. Code::negative: nothing is wrong, but one has not got all of
// it. Code::integrity: something is wrong.
Result<int> verify_received(const std::string& archive, const ReceivedOptions& options);

}  // namespace rt::rtreplay
