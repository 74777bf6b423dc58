// The exit codes, the same in all three tools.
#pragma once

#include <cstdio>

namespace rt::cli {

void print_exit_codes(std::FILE* out);

}  // namespace rt::cli
