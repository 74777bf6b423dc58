// The producer's end of a BatchQueue: gathers records and hands them over in batches.
#pragma once

#include <functional>
#include <utility>

#include "base/record.h"
#include "base/result.h"
#include "pipe/batch_queue.h"

namespace rt {

// One thread.
class BatchWriter {
 public:
  explicit BatchWriter(BatchQueue& queue) : queue_(queue) {}

  void append(const RecordView& record) { batch_.append(record); }
  bool empty() const { return batch_.empty(); }
  // Large enough to be handed over before the source has run dry.
  bool due() const { return batch_.body_bytes() >= kBytes || batch_.size() >= kRecords; }

  // Hands over what there is. While the queue is full, `waiting` is called every 100 ms or so; its
  // error ends the wait. Code::cancelled when the consumer is gone.
  Result<void> flush(const std::function<Result<void>()>& waiting = {});
  // Called by the consumer after all that was flushed, ahead of all that will be.
  void post(std::function<void()> call) { queue_.post(std::move(call)); }

 private:
  // Large enough to make the hand-over free per record, small enough to stay in a cache.
  static constexpr std::size_t kBytes = 1024 * 1024;
  static constexpr std::size_t kRecords = 4096;

  BatchQueue& queue_;
  RecordBatch batch_;
};

}  // namespace rt
