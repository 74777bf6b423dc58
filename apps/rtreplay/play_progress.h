// How far a replay is, redrawn in place once a second where standard error is a terminal.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "pipe/archive_source.h"
#include "pipe/archive_span.h"

namespace rt::rtreplay {

// "12.0 s of 60.0 s, 1 234 rows, late p99 310us, 12.0 s left": pure.
std::string progress_text(std::int64_t played_us, std::int64_t span_us, double speed,
                          std::uint64_t rows, Duration late_p99);

// One thread, that of the replay.
class PlayProgress {
 public:
  PlayProgress(const ArchiveSpan& recording, double speed, bool quiet);

  // Between two batches.
  void show(const ArchiveSource& source, Instant now);
  // Before anything else is printed.
  void clear();

 private:
  ArchiveSpan recording_;
  double speed_;
  bool live_;
  Instant shown_{};
  bool on_screen_ = false;
};

}  // namespace rt::rtreplay
