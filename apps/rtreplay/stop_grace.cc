#include "rtreplay/stop_grace.h"

namespace rt::rtreplay {

StopGrace::StopGrace(std::stop_token stop, io::Wakeup& bell, Duration grace)
    : bell_(bell),
      grace_(grace),
      thread_([this](const std::stop_token& gone) { watch(gone); }),
      on_stop_(std::move(stop), [this] {
        const std::lock_guard lock(mutex_);
        asked_ = true;
        wake_.notify_all();
      }) {}

void StopGrace::watch(const std::stop_token& gone) {
  std::unique_lock lock(mutex_);
  if (!wake_.wait(lock, gone, [this] { return asked_; })) return;
  wake_.wait_for(lock, gone, grace_, [] { return false; });
  if (!gone.stop_requested()) bell_.ring();
}

}  // namespace rt::rtreplay
