// What a service says to systemd, and the socket that systemd may hand to it. Without systemd all
// of it does nothing. By hand and not by libsystemd: the protocol is a datagram and two variables,
// kept stable for reimplementation (sd_notify(3), "Notes"), and the library would bring compression
// and cryptography into each tool. Call from one thread. Source: sd_notify(3), sd_listen_fds(3),
// sd_watchdog_enabled(3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace rt::io {

class SystemdNotifier {
 public:
  // From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. A socket that cannot be used is an error: a
  // unit of Type=notify would never be taken for started.
  static Result<SystemdNotifier> from_environment();

  bool is_heard() const { return static_cast<bool>(socket_); }
  // How often watchdog() must be called at the latest; half of it is usual. Nothing: never.
  std::optional<Duration> watchdog_time() const { return watchdog_time_; }

  // status: one line for `systemctl status`.
  Result<void> ready(std::string_view status);
  Result<void> stopping();
  // To be followed by ready(). now: systemd tells by it which reload this answers.
  Result<void> reloading(Instant now);
  Result<void> status(std::string_view status);
  Result<void> watchdog();

 private:
  Result<void> tell(const std::string& message);

  Fd socket_;  // connected
  std::optional<Duration> watchdog_time_;
};

// The listening TCP socket of a socket unit, non-blocking and close-on-exec; nothing if none was
// handed over. Once: a second call would own the same descriptor. Code::usage: more than one, or
// not a listening stream socket of IPv4 or IPv6.
Result<std::optional<Fd>> inherited_listener();

}  // namespace rt::io
