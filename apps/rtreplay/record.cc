#include "rtreplay/verbs.h"

namespace rt::rtreplay {

void add_record(cli::Tool& tool) {
  CLI::App* record = tool.group("record", "Record a stream into an archive");
  add_record_wal(tool, record);
  add_record_sse(tool, record);
  add_record_notify(tool, record);
  add_record_redis(tool, record);
}

}  // namespace rt::rtreplay
