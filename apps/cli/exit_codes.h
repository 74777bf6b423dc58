// The exit codes, the same in all three tools.
#pragma once

#include <string_view>

namespace rt::cli {

// A line each.
std::string_view exit_code_table();

}  // namespace rt::cli
