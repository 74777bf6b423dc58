// The verbs of rtctl, one file each.
#pragma once

#include "cli/tool.h"

namespace rt::rtctl {

void add_verbs(cli::Tool& tool);

}  // namespace rt::rtctl
