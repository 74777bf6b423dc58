// The rhythm of a recording: when each event came, which row or topic it was about, and how large
// it was. What a load test repeats of an incident; the contents stay where they are. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace rt {

struct ArchiveTimeline {
  struct Event {
    std::int64_t at_us = 0;   // since the first; does not decrease
    std::uint32_t key = 0;    // rows and topics are numbered as they appear
    std::uint32_t bytes = 0;  // of the event's data
  };
  std::vector<Event> events;
  std::uint32_t keys = 0;
};

// 16 bytes an event; more than this is a day of a busy system, not an incident.
inline constexpr std::size_t kTimelineEventsMax = 10'000'000;

// Row changes by their row's "id" (else by table), server-sent events by "id", "run_id", "topic" or
// "type" in their data (else by name), notifications and Redis messages by topic or channel.
// Code::usage for a recording without events; damage is Code::integrity.
Result<ArchiveTimeline> read_archive_timeline(const std::string& path);

}  // namespace rt
