// Waiting for what another process does.
#pragma once

#include <poll.h>

#include <functional>

#include "base/clock.h"

namespace rt::test {

// A pause between two looks; or, for a consumer, deliberate slowness.
inline void linger(std::chrono::milliseconds duration) {
  ::poll(nullptr, 0, static_cast<int>(duration.count()));
}

// Looks until it holds; false when `patience` is over.
inline bool eventually(Duration patience, const std::function<bool()>& holds) {
  const SystemClock clock;
  const Instant deadline = clock.now() + patience;
  while (!holds()) {
    if (clock.now() >= deadline) return false;
    linger(std::chrono::milliseconds(5));
  }
  return true;
}

// How long something took.
inline Duration time_of(const std::function<void()>& work) {
  const SystemClock clock;
  const Instant begun = clock.now();
  work();
  return clock.now() - begun;
}

}  // namespace rt::test
