// `config show` and `config path`: what holds, and where it comes from. The same in all tools.
#pragma once

#include "cli/tool.h"

namespace rt::cli {

void add_config(Tool& tool);

}  // namespace rt::cli
