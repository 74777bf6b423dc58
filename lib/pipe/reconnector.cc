#include "pipe/reconnector.h"

#include <utility>

namespace rt {

Reconnector::Reconnector(const ReconnectOptions& options, const LinkWatch& watch, int cancel_fd)
    : options_(options),
      watch_(watch),
      cancel_fd_(cancel_fd),
      backoff_(Random::of(static_cast<std::uint64_t>(clock_.now().time_since_epoch().count()),
                          "reconnect")) {}

Result<void> Reconnector::run(const std::function<Result<void>()>& session) {
  for (;;) {
    opened_at_.reset();
    const Result<void> ended = session();
    if (ended || !is_worth_another(ended.error().code)) return ended;
    if (!was_open_ && !options_.retry_first) return ended;
    if (opened_at_ && clock_.now() - *opened_at_ >= Backoff::kLongest) backoff_.reset();
    if (options_.retries_max && backoff_.failures() >= *options_.retries_max) return ended;
    const Duration delay = backoff_.next();
    if (watch_.on_retry) watch_.on_retry(ended.error(), delay, backoff_.failures());
    RT_CHECKED(pause_for(delay, cancel_fd_));
    ++reconnects_;
  }
}

bool Reconnector::opened() {
  opened_at_ = clock_.now();
  const bool again = std::exchange(was_open_, true);
  if (watch_.on_open) watch_.on_open(again);
  return again;
}

void Reconnector::caught_up() {
  if (!std::exchange(caught_up_, true) && watch_.on_caught_up) watch_.on_caught_up();
}

}  // namespace rt
