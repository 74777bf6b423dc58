#include "io/wakeup.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace rt::io {

Result<Wakeup> Wakeup::create() {
  Fd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) return fail(os_error("cannot create an eventfd", errno));
  return Wakeup(std::move(fd));
}

void Wakeup::ring() {
  if (rung_.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  // The only failure is a counter at its maximum, and then the waiter is awake anyway.
  [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);
}

void Wakeup::answer() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(fd_.get(), &count, sizeof count);
  // A read-modify-write, so that what a ringer pushed before its (skipped) ring is seen after this.
  rung_.exchange(false, std::memory_order_acq_rel);
}

}  // namespace rt::io
