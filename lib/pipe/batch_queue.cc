#include "pipe/batch_queue.h"

#include <utility>

namespace rt {

BatchQueue::Push BatchQueue::push(RecordBatch& batch, Duration patience) {
  const std::size_t size = weight(batch);
  std::unique_lock lock(mutex_);
  room_.wait_for(lock, patience,
                 [&] { return closed_ || bytes_ == 0 || bytes_ + size <= max_bytes_; });
  if (closed_) return Push::closed;
  if (bytes_ > 0 && bytes_ + size > max_bytes_) return Push::full;
  bytes_ += size;
  items_.push_back({std::move(batch), {}});
  batch = RecordBatch();
  if (!spares_.empty()) {
    batch = std::move(spares_.back());
    spares_.pop_back();
  }
  lock.unlock();
  filled_.notify_one();
  return Push::pushed;
}

void BatchQueue::post(std::function<void()> call) {
  {
    const std::lock_guard lock(mutex_);
    items_.push_back({RecordBatch(), std::move(call)});
  }
  filled_.notify_one();
}

void BatchQueue::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  filled_.notify_one();
}

bool BatchQueue::pop(RecordBatch& batch) {
  batch.clear();
  std::unique_lock lock(mutex_);
  if (spares_.size() < kSpares) spares_.push_back(std::move(batch));
  for (;;) {
    filled_.wait(lock, [&] { return finished_ || !items_.empty(); });
    if (items_.empty()) return false;
    Item item = std::move(items_.front());
    items_.pop_front();
    if (!item.call) {
      batch = std::move(item.batch);
      break;
    }
    lock.unlock();
    item.call();
    lock.lock();
  }
  bytes_ -= weight(batch);
  lock.unlock();
  room_.notify_one();
  return true;
}

void BatchQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  room_.notify_one();
}

}  // namespace rt
