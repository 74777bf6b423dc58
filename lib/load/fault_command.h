// Commands that a scenario runs while it measures: the restart of a server, a firewall rule.
// One thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace rt {

class FaultCommands {
 public:
  ~FaultCommands();

  // Starts it; its output goes where this tool's standard error goes.
  Result<void> start(const std::vector<std::string>& words);
  // What has ended since and how, a line each that did not end well.
  std::vector<std::string> ended();

 private:
  struct Child {
    pid_t pid = 0;
    std::string name;
  };
  std::vector<Child> children_;
};

}  // namespace rt
