#include "pipe/backoff.h"

#include <poll.h>

#include <algorithm>

namespace rt {

Duration Backoff::next() {
  const Duration longest = std::min(kLongest, kFirst * (1 << std::min(failures_, 6u)));
  ++failures_;
  const auto half = static_cast<std::uint64_t>(longest.count() / 2);
  return longest / 2 + Duration(static_cast<std::int64_t>(random_.below(half + 1)));
}

Result<void> pause_for(Duration duration, int cancel_fd) {
  pollfd fd{cancel_fd, POLLIN, 0};
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  if (::poll(&fd, 1, static_cast<int>(ms)) > 0) return fail(Code::cancelled, "stopped");
  return {};
}

}  // namespace rt
