#include "redis/dial.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "io/socket.h"

namespace rt::redis {
namespace {

const SystemClock kClock;

std::string attempt(const RedisAddress& address) {
  return "cannot connect to Redis on " + address.text();
}

// Finds a dead peer in about 30 s, also while nothing is published.
void keep_alive(int fd) {
  const auto set = [fd](int level, int option, int value) {
    ::setsockopt(fd, level, option, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
}

Result<Fd> dial_unix(const RedisAddress& address) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (address.unix_path.size() >= sizeof where.sun_path) {
    return fail(Code::usage, attempt(address) + ": the path is longer than 107 bytes");
  }
  address.unix_path.copy(where.sun_path, sizeof where.sun_path - 1);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail(os_error(attempt(address), errno));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) return fd;
  return fail(os_error(attempt(address), errno, Code::unreachable)
                  .with_hint("is Redis running, and may you open its socket?"));
}

Result<Fd> dial_one(const io::Address& target, Instant deadline, int cancel_fd,
                    const std::string& what) {
  Fd fd = RT_TRY(io::connect_to(target, nullptr));
  const auto settled = wait_for(fd.get(), POLLOUT, deadline, cancel_fd);
  if (!settled) return fail(Error(settled.error()).context(what));
  if (!*settled) return fail(Code::unreachable, what + ": no answer in time");
  const int error = io::connect_error(fd.get());
  if (error != 0) return fail(os_error(what, error, Code::unreachable));
  io::set_no_delay(fd.get());
  keep_alive(fd.get());
  return fd;
}

}  // namespace

Result<Fd> dial(const RedisAddress& address, Instant deadline, int cancel_fd) {
  if (!address.unix_path.empty()) return dial_unix(address);
  const auto targets = io::resolve(address.host, address.port);
  if (!targets) {
    Error error = Error(targets.error()).context(attempt(address));
    error.code = Code::unreachable;
    return fail(std::move(error));
  }
  Result<Fd> last = fail(Code::unreachable, attempt(address) + ": the name has no address");
  for (const io::Address& target : *targets) {
    last = dial_one(target, deadline, cancel_fd, attempt(address));
    if (last || last.error().code == Code::cancelled) return last;
  }
  if (last.error().hint.empty()) last.error().hint = "is Redis running there? --redis URL names it";
  return last;
}

Result<bool> wait_for(int fd, short events, Instant deadline, int cancel_fd) {
  for (;;) {
    int timeout_ms = -1;
    if (deadline != Instant::max()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - kClock.now());
      timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
    }
    std::array<pollfd, 2> fds{{{fd, events, 0}, {cancel_fd, POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), timeout_ms);
    if (ready < 0 && errno != EINTR) return fail(os_error("poll", errno));
    if (ready > 0 && fds[1].revents != 0) return fail(Code::cancelled, "stopped");
    if (ready > 0) return true;
    if (deadline != Instant::max() && kClock.now() >= deadline) return false;
  }
}

}  // namespace rt::redis
