// The memory and processor time of a server, as its page of metrics has them (Prometheus text
// format 0.0.4; the names are those every client library of Prometheus gives them):
// process_resident_memory_bytes and process_cpu_seconds_total. Sans-IO; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "load/thread_use.h"

namespace rt {

// nullopt: one of the two is missing, or is no number. Of several lines of a name, as of a server
// in several processes, the sum.
std::optional<ProcessUse> parse_process_metrics(std::string_view page);

}  // namespace rt
