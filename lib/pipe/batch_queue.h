// A bounded queue of record batches between the thread that reads a source and the one that takes.
// One producer, one consumer. Emptied batches go back to the producer, so that a steady stream
// allocates nothing.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/record.h"

namespace rt {

class BatchQueue {
 public:
  // A single batch is accepted whatever its size, if the queue is empty: a row may have 1 GiB.
  explicit BatchQueue(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  enum class Push { pushed, full, closed };
  // Producer. Waits for room for `patience` at most. When pushed, `batch` is an empty one to go on
  // with.
  Push push(RecordBatch& batch, Duration patience);
  // Producer. To be called by the consumer's pop(), after what was pushed before and ahead of what
  // follows. Takes no room: for what is seldom.
  void post(std::function<void()> call);
  // Producer: nothing follows.
  void finish();

  // Consumer. Waits; false when finished and drained. The batch given in is recycled.
  bool pop(RecordBatch& batch);
  // Consumer: nothing will be taken any more.
  void close();

 private:
  static std::size_t weight(const RecordBatch& batch) {
    return batch.body_bytes() + batch.size() * kRecordOverhead;
  }
  static constexpr std::size_t kRecordOverhead = 48;
  // Enough for a producer and a consumer that alternate; more would only hold memory.
  static constexpr std::size_t kSpares = 2;

  struct Item {
    RecordBatch batch;
    std::function<void()> call;  // instead of a batch
  };

  const std::size_t max_bytes_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable filled_;
  std::deque<Item> items_;
  std::vector<RecordBatch> spares_;
  std::size_t bytes_ = 0;  // of the batches; 0: there is none
  bool finished_ = false;
  bool closed_ = false;
};

}  // namespace rt
