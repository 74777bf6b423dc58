// From when to when a recording is.
#pragma once

#include <cstdint>

#include "archive/reader.h"
#include "base/result.h"

namespace rt {

struct ArchiveSpan {
  std::int64_t first_us = 0;  // of the first event, Unix us
  std::int64_t last_us = 0;   // running maximum at the end
  std::int64_t us() const { return last_us - first_us; }
};

// All 0 where there are no events. Reads one block.
Result<ArchiveSpan> find_span(archive::Reader& reader);

}  // namespace rt
