#include "io/poller.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace rt::io {
namespace {

epoll_event event_of(std::uint64_t token, Interest interest, bool edge) {
  epoll_event event{};
  const auto bits = static_cast<unsigned>(interest);
  if ((bits & 1U) != 0) event.events |= EPOLLIN | EPOLLRDHUP;
  if ((bits & 2U) != 0) event.events |= EPOLLOUT;
  if (edge) event.events |= EPOLLET;
  event.data.u64 = token;
  return event;
}

// Rounded up, so that a wait never ends just before its deadline and spins.
int timeout_ms(std::optional<Instant> deadline, Instant now) {
  if (!deadline) return -1;
  if (*deadline <= now) return 0;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*deadline - now).count();
  return static_cast<int>(std::min<std::int64_t>(ms, 60'000));
}

}  // namespace

Result<Poller> Poller::create() {
  Fd fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!fd) return fail(os_error("cannot create an epoll instance", errno));
  return Poller(std::move(fd));
}

Result<void> Poller::watch(int fd, std::uint64_t token, Interest interest, bool edge) {
  epoll_event event = event_of(token, interest, edge);
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return fail(os_error("cannot watch a descriptor", errno));
  }
  return {};
}

Result<void> Poller::change(int fd, std::uint64_t token, Interest interest, bool edge) {
  epoll_event event = event_of(token, interest, edge);
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event) != 0) {
    return fail(os_error("cannot change what is watched", errno));
  }
  return {};
}

void Poller::unwatch(int fd) {
  ::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

std::size_t Poller::wait(std::span<Ready> out, std::optional<Instant> deadline, Instant now) {
  std::array<epoll_event, kBatchMax> events;
  const int max = static_cast<int>(std::min(out.size(), kBatchMax));
  const int count = ::epoll_wait(fd_.get(), events.data(), max, timeout_ms(deadline, now));
  if (count <= 0) return 0;  // EINTR: the caller looks at its deadlines and comes again
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    out[static_cast<std::size_t>(i)] = {event.data.u64,
                                        broken || (event.events & (EPOLLIN | EPOLLRDHUP)) != 0,
                                        broken || (event.events & EPOLLOUT) != 0};
  }
  return static_cast<std::size_t>(count);
}

}  // namespace rt::io
