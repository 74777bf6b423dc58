#include "cli/stop_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "cli/key_terminal.h"

namespace rt::cli {

Result<std::unique_ptr<StopWatch>> StopWatch::start(const Options& options) {
  io::StopSignals signals = RT_TRY(io::StopSignals::create());
  Fd snapshot = RT_TRY(io::signal_descriptor({SIGUSR1}));
  Fd news(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!news) return fail(os_error("cannot create an event descriptor", errno));
  return std::unique_ptr<StopWatch>(
      new StopWatch(options, std::move(signals), std::move(snapshot), std::move(news)));
}

StopWatch::StopWatch(const Options& options, io::StopSignals signals, Fd snapshot, Fd news)
    : options_(options),
      signals_(std::move(signals)),
      snapshot_(std::move(snapshot)),
      news_(std::move(news)),
      started_(clock_.now()),
      touched_(started_.time_since_epoch().count()) {
  thread_ = std::thread([this] { watch(); });
}

StopWatch::~StopWatch() {
  finished_ = true;
  wake();
  thread_.join();
}

void StopWatch::wake() {
  const std::uint64_t one = 1;
  (void)!::write(news_.get(), &one, sizeof one);
}

void StopWatch::touch() {
  touched_.store(clock_.now().time_since_epoch().count(), std::memory_order_relaxed);
}

void StopWatch::on_snapshot(std::function<void()> show) {
  const std::lock_guard lock(show_mutex_);
  show_ = std::move(show);
}

void StopWatch::end_after_quiet(Duration silence) {
  touch();
  quiet_end_ = silence.count();
  wake();
}

void StopWatch::watch() {
  bool watch_output = options_.watch_output;
  while (!finished_) {
    // No events asked for: poll() reports only that the reading end of a pipe has gone.
    pollfd waits[4] = {{news_.get(), POLLIN, 0},
                       {signals_.fd(), POLLIN, 0},
                       {watch_output ? 1 : -1, 0, 0},
                       {snapshot_.get(), POLLIN, 0}};
    const std::optional<Limit> limit = nearest_limit();
    int wait_ms = -1;
    if (limit) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit->due - clock_.now());
      // poll() takes an int: a day at most; it is asked again then.
      wait_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 86'400'000));
    }
    const int ready = ::poll(waits, 4, wait_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (waits[0].revents != 0) {
      std::uint64_t ignored = 0;
      (void)!::read(news_.get(), &ignored, sizeof ignored);
    }
    if (waits[1].revents != 0) {
      const int signal = signals_.take();
      if (signal == 0) continue;
      if (signal_.exchange(signal) != 0) {
        KeyTerminal::restore_now();
        ::_exit(128 + signal);
      }
      ask_to_stop(StopCause::interrupted);
    }
    if (waits[2].revents != 0) {
      watch_output = false;
      ask_to_stop(StopCause::reader_gone);
    }
    if (waits[3].revents != 0 && io::take_signal(snapshot_) != 0) {
      const std::lock_guard lock(show_mutex_);
      if (show_) show_();
    }
    // Looked at anew: something may have happened meanwhile.
    const std::optional<Limit> now = nearest_limit();
    if (ready == 0 && now && now->due <= clock_.now()) ask_to_stop(now->cause);
  }
}

void StopWatch::ask_to_stop(StopCause cause) {
  StopCause none = StopCause::none;
  cause_.compare_exchange_strong(none, cause);
  stop_.request_stop();
}

std::optional<StopWatch::Limit> StopWatch::nearest_limit() const {
  if (stop_.stop_requested()) return std::nullopt;
  std::optional<Limit> nearest;
  const auto consider = [&nearest](Instant due, StopCause cause) {
    if (!nearest || due < nearest->due) nearest = Limit{due, cause};
  };
  const Instant touched{Duration(touched_.load())};
  if (options_.time_max) consider(started_ + *options_.time_max, StopCause::time_up);
  if (options_.quiet_max) consider(touched + *options_.quiet_max, StopCause::time_up);
  if (quiet_end_ != 0) consider(touched + Duration(quiet_end_), StopCause::quiet);
  return nearest;
}

}  // namespace rt::cli
