// The durable past: every record the hub took, in an archive on disk. A thread of its own writes
// and syncs, so that a slow disk never delays a subscriber; what is safe is reported, and only then
// may the source forget it. On a start the archive is read back, so that the server goes on where
// it was.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/record.h"
#include "base/result.h"
#include "io/spsc_ring.h"
#include "io/wakeup.h"
#include "server/counters.h"
#include "server/history_pruner.h"

namespace rt::archive {
class Writer;
}

namespace rt::server {

class History {
 public:
  // Where the recorded stream ends and whose it is.
  struct Resume {
    std::uint64_t end_lsn = 0;
    std::uint64_t system_identifier = 0;
    std::uint32_t timeline = 0;
  };

  // Opens or creates the archive in `directory`; a torn tail is cut off. clock and counters outlive
  // this.
  static Result<std::unique_ptr<History>> open(const std::string& directory, HistoryLimits limits,
                                               const Clock& clock, Counters& counters);
  ~History();

  // Before start(): hands every recorded record to `take`, oldest first.
  Result<std::optional<Resume>> read_back(const std::function<void(const RecordView&)>& take);

  // Starts the writing thread. on_durable(end LSN of the last commit on disk): called on that
  // thread. on_failed: the disk does not take it; the server must stop confirming and say so.
  void start(std::function<void(std::uint64_t)> on_durable, std::function<void(Error)> on_failed);

  // Hub thread. Waits while kBatchesMax batches are unwritten: a disk that cannot follow slows the
  // source.
  void append(std::shared_ptr<const RecordBatch> batch);
  // Writes what is left, syncs, closes.
  void stop();

  const std::string& directory() const { return directory_; }

 private:
  static constexpr std::size_t kBatchesMax = 64;  // of at most 1 MiB

  History(std::string directory, HistoryLimits limits, const Clock& clock, Counters& counters,
          io::Wakeup wakeup);
  void run();
  Result<void> write(const RecordBatch& batch);
  Result<void> create_writer(const RecordBatch& first);
  void report_durable();

  const std::string directory_;
  const HistoryLimits limits_;
  const Clock& clock_;
  Counters& counters_;
  std::unique_ptr<archive::Writer> writer_;  // null until there is something to write
  io::Wakeup wakeup_;
  io::SpscRing<std::shared_ptr<const RecordBatch>> batches_{kBatchesMax};
  std::function<void(std::uint64_t)> on_durable_;
  std::function<void(Error)> on_failed_;
  std::uint64_t snapshot_lsn_ = 0;  // of the last snapshot_end written
  std::uint64_t reported_lsn_ = 0;
  std::unique_ptr<HistoryPruner> pruner_;  // null: nothing is deleted
  std::uint32_t segment_ = 0;              // being written
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace rt::server
