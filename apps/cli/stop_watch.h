// Ends a running verb from outside: SIGINT or SIGTERM, a reader that closed our standard output,
// or a time limit. A second signal ends the process at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "io/signals.h"

namespace rt::cli {

enum class StopCause : std::uint8_t { none, interrupted, reader_gone, time_up };

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
  // Something happened: quiet_max counts from now. Any thread, cheap.
  void touch();

 private:
  StopWatch(const Options& options, io::StopSignals signals, Fd end);
  void watch();
  void ask_to_stop(StopCause cause);
  int wait_ms() const;

  Options options_;
  io::StopSignals signals_;
  Fd end_;  // eventfd: the verb has finished by itself
  SystemClock clock_;
  Instant started_;
  std::atomic<Instant::rep> touched_;
  std::atomic<StopCause> cause_{StopCause::none};
  std::atomic<int> signal_{0};
  std::stop_source stop_;
  std::thread thread_;
};

}  // namespace rt::cli
