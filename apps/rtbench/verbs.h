// The verbs of rtbench, one file each.
#pragma once

#include "cli/tool.h"

namespace rt::rtbench {

void add_run(cli::Tool& tool);
void add_plan(cli::Tool& tool);
void add_selftest(cli::Tool& tool);
void add_validate(cli::Tool& tool);
void add_presets(cli::Tool& tool);
void add_find(cli::Tool& tool);
void add_schema(cli::Tool& tool);
void add_report(cli::Tool& tool);
void add_compare(cli::Tool& tool);
void add_merge(cli::Tool& tool);

}  // namespace rt::rtbench
