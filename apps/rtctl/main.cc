#include "cli/tool.h"
#include "rtctl/verbs.h"

int main(int argc, char** argv) {
  rt::cli::Tool tool("rtctl", "Drive realtime streams: subscribe, publish, serve.");
  rt::rtctl::add_verbs(tool);
  return tool.main(argc, argv);
}
