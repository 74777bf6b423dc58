#include "cli/stop_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace rt::cli {

Result<std::unique_ptr<StopWatch>> StopWatch::start(const Options& options) {
  io::StopSignals signals = RT_TRY(io::StopSignals::create());
  Fd end(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!end) return fail(os_error("cannot create an event descriptor", errno));
  return std::unique_ptr<StopWatch>(new StopWatch(options, std::move(signals), std::move(end)));
}

StopWatch::StopWatch(const Options& options, io::StopSignals signals, Fd end)
    : options_(options),
      signals_(std::move(signals)),
      end_(std::move(end)),
      started_(clock_.now()),
      touched_(started_.time_since_epoch().count()) {
  thread_ = std::thread([this] { watch(); });
}

StopWatch::~StopWatch() {
  const std::uint64_t one = 1;
  (void)!::write(end_.get(), &one, sizeof one);
  thread_.join();
}

void StopWatch::touch() {
  touched_.store(clock_.now().time_since_epoch().count(), std::memory_order_relaxed);
}

void StopWatch::watch() {
  bool watch_output = options_.watch_output;
  for (;;) {
    // No events asked for: poll() reports only that the reading end of a pipe has gone.
    pollfd waits[3] = {
        {end_.get(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}, {watch_output ? 1 : -1, 0, 0}};
    const int ready = ::poll(waits, 3, wait_ms());
    if (ready < 0 && errno == EINTR) continue;
    if (waits[0].revents != 0) return;
    if (waits[1].revents != 0) {
      const int signal = signals_.take();
      if (signal == 0) continue;
      if (signal_.exchange(signal) != 0) ::_exit(128 + signal);
      ask_to_stop(StopCause::interrupted);
    }
    if (waits[2].revents != 0) {
      watch_output = false;
      ask_to_stop(StopCause::reader_gone);
    }
    if (ready == 0 && wait_ms() == 0) ask_to_stop(StopCause::time_up);
  }
}

void StopWatch::ask_to_stop(StopCause cause) {
  StopCause none = StopCause::none;
  cause_.compare_exchange_strong(none, cause);
  stop_.request_stop();
}

// Until the nearest limit; -1 if there is none (left).
int StopWatch::wait_ms() const {
  if (stop_.stop_requested()) return -1;
  std::optional<Instant> due;
  if (options_.time_max) due = started_ + *options_.time_max;
  if (options_.quiet_max) {
    const Instant quiet = Instant(Duration(touched_.load())) + *options_.quiet_max;
    due = due ? std::min(*due, quiet) : quiet;
  }
  if (!due) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - clock_.now()).count();
  // poll() takes an int: days at most; it is asked again then.
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 86'400'000));
}

}  // namespace rt::cli
