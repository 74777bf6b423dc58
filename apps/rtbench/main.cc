#include "cli/tool.h"
#include "rtbench/verbs.h"

int main(int argc, char** argv) {
  rt::cli::Tool tool("rtbench",
                     "Measure realtime streams, and refuse to claim what was not measured.");
  rt::rtbench::add_run(tool);
  rt::rtbench::add_plan(tool);
  rt::rtbench::add_selftest(tool);
  rt::rtbench::add_validate(tool);
  rt::rtbench::add_presets(tool);
  rt::rtbench::add_report(tool);
  rt::rtbench::add_compare(tool);
  rt::rtbench::add_merge(tool);
  rt::rtbench::add_find(tool);
  rt::rtbench::add_schema(tool);
  return tool.main(argc, argv);
}
