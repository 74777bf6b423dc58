// Keeps a source connected: runs one session after another, with a pause in between, until one ends
// in order or with an error that trying again cannot mend. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "pipe/backoff.h"
#include "pipe/link_watch.h"

namespace rt {

struct ReconnectOptions {
  bool retry_first = false;  // false: a server that cannot be reached at the start is an error
  // Also after Code::refused: what a server says no to (a wrong password) is mended over there, and
  // who serves others meanwhile goes on without a restart.
  bool retry_refused = false;
  std::optional<std::uint32_t> retries_max{};  // failures in a row; 0: a lost connection is the end
};

class Reconnector {
 public:
  // Waits end with Code::cancelled when cancel_fd is readable.
  Reconnector(const ReconnectOptions& options, const LinkWatch& watch, int cancel_fd);

  // A session lasts from connect to the end of that connection. It returns success when it is
  // finished for good; Code::unreachable asks for another one, as
  // Code::refused may, see ReconnectOptions.
  Result<void> run(const std::function<Result<void>()>& session);

  // The session says: connected, records flow from now on. True if it is not the first time.
  bool opened();
  // The session says: something arrived, so failures are no longer in a row.
  void received() { backoff_.reset(); }
  // The session says, as often as it likes: the past is told.
  void caught_up();

  std::uint64_t reconnects() const { return reconnects_; }

 private:
  bool is_worth_another(Code code) const {
    return code == Code::unreachable || (code == Code::refused && options_.retry_refused);
  }

  ReconnectOptions options_;
  const LinkWatch& watch_;
  int cancel_fd_;
  SystemClock clock_;
  Backoff backoff_;
  std::optional<Instant> opened_at_;  // of the session that runs
  std::uint64_t reconnects_ = 0;
  bool was_open_ = false;
  bool caught_up_ = false;
};

}  // namespace rt
