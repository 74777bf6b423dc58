// What happens to the connection beneath a source, for those who show it. All three are called on
// the thread of Source::run(), in order with the batches; each may be left empty.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.h"
#include "base/result.h"

namespace rt {

struct LinkWatch {
  // Records flow from now on; `again`: after a lost connection.
  std::function<void(bool again)> on_open;
  // The connection was lost, or could not be made; `delay` until the next attempt, `failures` in a
  // row.
  std::function<void(const Error& reason, Duration delay, std::uint32_t failures)> on_retry;
  // All that was there when the source first connected has been handed over. Once.
  std::function<void()> on_caught_up;
};

}  // namespace rt
