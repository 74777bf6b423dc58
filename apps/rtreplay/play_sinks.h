// Where `rtreplay play` sends a recording.
#pragma once

#include <memory>

#include "pipe/sink.h"
#include "rtreplay/record_printer.h"

namespace rt::rtreplay {

// Counts and forgets.
std::unique_ptr<Sink> make_null_sink();
// Prints lines as they come due. The reader's going away is Code::cancelled.
std::unique_ptr<Sink> make_stdout_sink(LineFormat format);

}  // namespace rt::rtreplay
