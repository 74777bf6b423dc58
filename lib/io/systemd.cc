#include "io/systemd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/text.h"

namespace rt::io {
namespace {

constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START

std::optional<std::uint64_t> number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? std::nullopt : parse_decimal(text);
}

bool is_this_process(const char* variable) {
  return number_in(variable) == static_cast<std::uint64_t>(::getpid());
}

// A path, or "@name" for one in the abstract namespace.
Result<Fd> connect_notify(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool known = name.size() > 1 && (name.front() == '/' || name.front() == '@');
  if (!known || name.size() >= sizeof address.sun_path) {
    return fail(Code::usage, fmt::format("NOTIFY_SOCKET \"{}\" is no path and no @name", name));
  }
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    return fail(os_error(fmt::format("cannot connect to NOTIFY_SOCKET {}", name), errno));
  }
  return fd;
}

int socket_option(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// A line feed would begin an assignment of its own.
std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) c = c == '\n' ? ' ' : c;
  return line;
}

}  // namespace

Result<SystemdNotifier> SystemdNotifier::from_environment() {
  SystemdNotifier notifier;
  const char* const name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || *name == '\0') return notifier;
  notifier.socket_ = RT_TRY(connect_notify(name));
  const auto watchdog_us = number_in("WATCHDOG_USEC");
  const bool ours = std::getenv("WATCHDOG_PID") == nullptr || is_this_process("WATCHDOG_PID");
  constexpr std::uint64_t kDayUs = 86'400'000'000;  // longer is as good as none
  if (watchdog_us && *watchdog_us > 0 && *watchdog_us <= kDayUs && ours) {
    notifier.watchdog_time_ = std::chrono::microseconds(*watchdog_us);
  }
  return notifier;
}

Result<void> SystemdNotifier::tell(const std::string& message) {
  if (!socket_) return {};
  ssize_t sent = -1;
  do {
    sent = ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent != static_cast<ssize_t>(message.size())) {
    return fail(os_error("cannot notify systemd", errno));
  }
  return {};
}

Result<void> SystemdNotifier::ready(std::string_view status) {
  return tell(fmt::format("READY=1\nSTATUS={}", one_line(status)));
}

Result<void> SystemdNotifier::stopping() {
  return tell("STOPPING=1\nSTATUS=stopping");
}

Result<void> SystemdNotifier::reloading(Instant now) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
  return tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", us.count()));
}

Result<void> SystemdNotifier::status(std::string_view status) {
  return tell("STATUS=" + one_line(status));
}

Result<void> SystemdNotifier::watchdog() {
  return tell("WATCHDOG=1");
}

Result<std::optional<Fd>> inherited_listener() {
  const auto count = number_in("LISTEN_FDS");
  // Meant for another process if the number differs: it was inherited further.
  if (!is_this_process("LISTEN_PID") || !count || *count == 0) return std::nullopt;
  if (*count > 1) {
    return fail(Code::usage, fmt::format("systemd handed over {} sockets", *count),
                "one ListenStream= in the socket unit");
  }
  const int domain = socket_option(kFirstInherited, SO_DOMAIN);
  if ((domain != AF_INET && domain != AF_INET6) ||
      socket_option(kFirstInherited, SO_TYPE) != SOCK_STREAM ||
      socket_option(kFirstInherited, SO_ACCEPTCONN) != 1) {
    return fail(Code::usage, "the socket that systemd handed over is no listening TCP socket",
                "ListenStream=ADDRESS:PORT and Accept=no in the socket unit");
  }
  const int flags = ::fcntl(kFirstInherited, F_GETFL);
  if (flags < 0 || ::fcntl(kFirstInherited, F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(kFirstInherited, F_SETFD, FD_CLOEXEC) != 0) {
    return fail(os_error("cannot take over the socket from systemd", errno));
  }
  return std::optional<Fd>(Fd(kFirstInherited));
}

}  // namespace rt::io
