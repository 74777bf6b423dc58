#include "pipe/wal_source.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

#include "base/fd.h"
#include "pipe/batch_queue.h"
#include "pipe/wal_reader.h"

namespace rt {

namespace {

// 80 ms of a walsender at full speed: enough to ride out an fsync, little enough to notice a slow
// sink.
constexpr std::size_t kQueueBytes = 16 * 1024 * 1024;

void raise_event(int fd) {
  const std::uint64_t one = 1;
  while (::write(fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

}  // namespace

WalSource::WalSource(WalSourceOptions options, OnNotice on_notice, LinkWatch watch)
    : options_(std::move(options)), on_notice_(std::move(on_notice)), watch_(std::move(watch)) {}

Result<void> WalSource::run(std::stop_token stop, const Take& take) {
  const Fd cancel(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!cancel) return fail(os_error("cannot create an eventfd", errno));
  BatchQueue queue(kQueueBytes);
  const auto call_off = [&] {
    raise_event(cancel.get());
    queue.close();
  };
  const std::stop_callback on_stop(stop, call_off);

  Result<void> read;
  std::jthread reading([&] {
    read = WalReader(options_, {on_notice_, watch_}, progress_, queue, cancel.get()).run();
    queue.finish();
  });
  Result<void> taken;
  RecordBatch batch;
  while (!stop.stop_requested() && queue.pop(batch)) {
    taken = take(batch);
    if (!taken) break;
  }
  call_off();
  reading.join();
  if (!taken) return taken;
  return stop.stop_requested() ? Result<void>() : read;
}

void WalSource::confirm(std::uint64_t lsn) {
  std::uint64_t known = progress_.confirmed.load(std::memory_order_relaxed);
  while (known < lsn && !progress_.confirmed.compare_exchange_weak(known, lsn)) {
  }
}

std::uint64_t WalSource::lag_bytes() const {
  const std::uint64_t end = last_wal_end();
  const std::uint64_t flushed = progress_.flushed.load(std::memory_order_relaxed);
  return end > flushed ? end - flushed : 0;
}

}  // namespace rt
