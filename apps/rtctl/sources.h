// The table of sources: a name, what it takes, and how it is opened. A new source is one line.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "rtctl/event_stream.h"
#include "rtctl/source_flags.h"

namespace rt::rtctl {

// "runs, topic NAME, ..." for a hint.
std::string source_list();
// A line each, for help.
std::string source_table();

struct OpenSource {
  std::unique_ptr<EventStream> stream;
  std::string kind;         // "url", "runs", "topic", ...
  bool tells_past = false;  // on_caught_up() is called: --last and --exit-at-end know where it ends
};

// Checks the flags and prepares the stream they choose; nothing is connected before run().
// resume_id: a cursor that was saved by an earlier run; it wins over where the flags say to begin,
// and is empty if there is none. Fails with Code::usage.
Result<OpenSource> open_source(const SourceFlags& flags, const std::string& resume_id,
                               WallTime now);

}  // namespace rt::rtctl
