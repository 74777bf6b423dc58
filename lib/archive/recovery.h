// What to do with the end of a segment that its writer did not close, and with damage anywhere.
// Rules: docs/recording-format.md, "Durability".
#pragma once

#include <cstdint>
#include <string>

#include "archive/segment_scan.h"

namespace rt::archive {

enum class OnDamage : std::uint8_t {
  strict,         // stop with an error that names the offset
  point_in_time,  // end before the damage, as if nothing followed
  salvage,  // skip to the next good block and put a GAP record in place of what is lost (readers)
};

struct Recovery {
  std::uint64_t torn_bytes = 0;  // cut off the end
  std::string saved_as;          // where they are kept, or empty
};

// Repairs the end of the last segment of a recording: bytes after the last good block are saved
// beside it as "<segment>.torn" and cut off. Damage followed by good blocks is never cut off unless
// `on_damage` is point_in_time; it is Code::integrity. `scan` is up to date afterwards.
Result<Recovery> repair_tail(const SegmentFile& file, SegmentScan& scan, OnDamage on_damage);

}  // namespace rt::archive
