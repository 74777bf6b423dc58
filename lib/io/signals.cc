#include "io/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace rt::io {

Result<Fd> signal_descriptor(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return fail(os_error("cannot block signals", error));
  }
  Fd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return fail(os_error("cannot create a signalfd", errno));
  return fd;
}

int take_signal(const Fd& descriptor) {
  signalfd_siginfo info{};
  const ssize_t got = ::read(descriptor.get(), &info, sizeof info);
  return got == static_cast<ssize_t>(sizeof info) ? static_cast<int>(info.ssi_signo) : 0;
}

Result<StopSignals> StopSignals::create() {
  return StopSignals(RT_TRY(signal_descriptor({SIGINT, SIGTERM})));
}

int StopSignals::take() {
  return take_signal(fd_);
}

int StopSignals::wait(int timeout_ms) {
  pollfd poll_fd{fd_.get(), POLLIN, 0};
  ::poll(&poll_fd, 1, timeout_ms);
  return take();
}

}  // namespace rt::io
