// A stop that lets a target finish: what is under way may end by itself; what takes too long is cut
// off. One object for one target.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "io/wakeup.h"

namespace rt::rtreplay {

class StopGrace {
 public:
  // Rings `bell`, which ends the target's waits, `grace` after a stop was asked for; not any more
  // when the object is gone.
  StopGrace(std::stop_token stop, io::Wakeup& bell, Duration grace);
  StopGrace(const StopGrace&) = delete;
  StopGrace& operator=(const StopGrace&) = delete;

 private:
  void watch(const std::stop_token& gone);

  io::Wakeup& bell_;
  Duration grace_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool asked_ = false;
  std::jthread thread_;
  std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace rt::rtreplay
