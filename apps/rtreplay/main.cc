#include "cli/tool.h"
#include "rtreplay/verbs.h"

int main(int argc, char** argv) {
  rt::cli::Tool tool("rtreplay", "Record realtime streams, look into recordings, play them again.");
  rt::rtreplay::add_record(tool);
  rt::rtreplay::add_info(tool);
  rt::rtreplay::add_verify(tool);
  rt::rtreplay::add_cat(tool);
  rt::rtreplay::add_play(tool);
  rt::rtreplay::add_cut(tool);
  rt::rtreplay::add_filter(tool);
  rt::rtreplay::add_merge(tool);
  rt::rtreplay::add_convert(tool);
  rt::rtreplay::add_diff(tool);
  rt::rtreplay::add_bisect(tool);
  return tool.main(argc, argv);
}
