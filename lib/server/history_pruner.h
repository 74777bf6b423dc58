// Keeps a history within its limits: folds its oldest segments into a state (history_files.h), then
// deletes them. Never the segment that is being written. A thread of its own, because folding reads
// all that it deletes; whoever reads a segment at that moment is told that the history does not
// reach back. A crash at any instant leaves either the segments or the state, or both.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "io/wakeup.h"
#include "server/counters.h"

namespace rt::server {

struct HistoryLimits {
  std::uint64_t bytes_max = 0;  // 0: none
  Duration age_max{};           // since a segment was last written to; 0: none

  bool any() const { return bytes_max > 0 || age_max > Duration(0); }
  // A segment is what is deleted at once: an eighth of what is kept, or the archive's usual.
  std::uint64_t segment_bytes() const;
  Duration segment_age() const;
};

class HistoryPruner {
 public:
  // clock and counters outlive this.
  HistoryPruner(std::string directory, HistoryLimits limits, const Clock& clock, Counters& counters,
                io::Wakeup wakeup);
  ~HistoryPruner();

  void start();
  // Any thread: a segment is complete.
  void look() { wakeup_.ring(); }
  // What is being folded is given up.
  void stop();

  // Once, on the calling thread.
  Result<void> prune();

 private:
  void run();

  const std::string directory_;
  const HistoryLimits limits_;
  const Clock& clock_;
  Counters& counters_;
  io::Wakeup wakeup_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace rt::server
