// The latencies of a run as a log of HdrHistogram (format version 1.3): plotters and libraries for
// many languages read it. Histograms are in microseconds, "Interval_Max" in milliseconds, times in
// seconds since the start of the run.
//
// Tags: "delivery" has one interval a second, over the whole run. What was added up by phase has
// the tag "PHASE.delivery", "PHASE.intended", "PHASE.publish", "PHASE.late",
// "PHASE.commit_to_wire" and "PHASE.receive_queue" (wire to parse); of a cohort
// "cohort.NAME.delivery"; what belongs to the run as a whole is "connect", "tls", "first_event",
// "resume", "replay", "heartbeat_gap" and "loop_lag". Source:
// https://github.com/HdrHistogram/HdrHistogram, HistogramLogWriter.
#pragma once

#include <string>

#include "load/outcome.h"

namespace rt {

std::string hlog_report(const Outcome& outcome);  // pure

}  // namespace rt
