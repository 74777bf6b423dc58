// A secret that is kept in a file of its own, out of command lines and environments.
#pragma once

#include <string>

#include "base/result.h"

namespace rt {

// The file's content without white space around it. Code::usage if it cannot be read or is empty.
Result<std::string> read_token_file(const std::string& path);

}  // namespace rt
