// What a tool is and what it is made of: `--version --json`.
#pragma once

#include <string>

namespace rt::cli {

// {"tool":"rtctl","version":"0.1.0","compiler":"g++ 12.2.0","build":"release","libraries":[...]}
std::string version_json(const std::string& tool);

}  // namespace rt::cli
