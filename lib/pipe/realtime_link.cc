#include "pipe/realtime_link.h"

#include <utility>

namespace rt {

LinkWatch RealtimeLink::watch(std::function<std::optional<RedisEntryId>()> begin) {
  LinkWatch watch;
  watch.on_open = [this, begin = std::move(begin)](bool again) {
    opened(again, begin && !again ? begin() : std::nullopt);
    if (outer_.on_open) outer_.on_open(again);
  };
  watch.on_retry = [this](const Error& reason, Duration delay, std::uint32_t failures) {
    lost(reason);
    if (outer_.on_retry) outer_.on_retry(reason, delay, failures);
  };
  watch.on_caught_up = outer_.on_caught_up;
  return watch;
}

Result<void> RealtimeLink::ended(Result<void> outcome) {
  if (!outcome) lost(outcome.error());
  return outcome;
}

RealtimeBusStatus RealtimeLink::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void RealtimeLink::on_change(std::function<void()> call) {
  const std::lock_guard lock(change_mutex_);
  on_change_ = std::move(call);
}

void RealtimeLink::opened(bool again, std::optional<RedisEntryId> begin) {
  {
    const std::lock_guard lock(mutex_);
    status_.connected = true;
    status_.reason.clear();
    if (again) ++status_.reconnects;
    if (begin) status_.begun = begin;
  }
  changed();
}

void RealtimeLink::lost(const Error& reason) {
  {
    const std::lock_guard lock(mutex_);
    status_.connected = false;
    status_.reason = reason.text;
  }
  changed();
}

void RealtimeLink::changed() {
  const std::lock_guard lock(change_mutex_);
  if (on_change_) on_change_();
}

}  // namespace rt
