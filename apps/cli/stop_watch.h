// Ends a running verb from outside: SIGINT or SIGTERM, a reader that closed our standard output,
// or a time limit. A second signal ends the process at once. SIGUSR1 asks how it fares.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "io/signals.h"

namespace rt::cli {

enum class StopCause : std::uint8_t {
  none,
  interrupted,
  reader_gone,
  time_up,  // time_max, or quiet_max
  quiet,    // end_after_quiet()
};

class StopWatch {
 public:
  struct Options {
    bool watch_output = false;          // stop when nobody reads standard output any more
    std::optional<Duration> time_max;   // stop that long after the start
    std::optional<Duration> quiet_max;  // stop when touch() has not been called for that long
  };
  // Construct before other threads start: it blocks the signals it watches.
  static Result<std::unique_ptr<StopWatch>> start(const Options& options);
  ~StopWatch();
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;

  std::stop_token token() const { return stop_.get_token(); }
  StopCause cause() const { return cause_.load(); }
  // 130 or 143 after a signal.
  int signal_status() const { return 128 + signal_.load(); }
  // Something happened: silence counts from now. Any thread, cheap.
  void touch();
  // What SIGUSR1 does, on the watch's own thread; nothing otherwise.
  void on_snapshot(std::function<void()> show);
  // From now on a silence of that long is the end. Any thread.
  void end_after_quiet(Duration silence);

 private:
  StopWatch(const Options& options, io::StopSignals signals, Fd snapshot, Fd news);
  void watch();
  void wake();
  void ask_to_stop(StopCause cause);
  // The nearest limit and what reaching it means; nothing if there is none (left).
  struct Limit {
    Instant due;
    StopCause cause;
  };
  std::optional<Limit> nearest_limit() const;

  Options options_;
  io::StopSignals signals_;
  Fd snapshot_;  // signalfd of SIGUSR1
  Fd news_;      // eventfd: the verb has finished by itself, or has set a limit
  std::atomic<bool> finished_{false};
  std::atomic<Duration::rep> quiet_end_{0};  // end_after_quiet(); 0: none
  SystemClock clock_;
  Instant started_;
  std::atomic<Instant::rep> touched_;
  std::atomic<StopCause> cause_{StopCause::none};
  std::atomic<int> signal_{0};
  std::stop_source stop_;
  std::mutex show_mutex_;
  std::function<void()> show_;
  std::thread thread_;
};

}  // namespace rt::cli
