#include "cli/key_terminal.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include "io/signals.h"

namespace rt::cli {
namespace {

// What restore_now() needs: plain memory, written before it is announced.
int g_fd = -1;
termios g_before{};
std::atomic<bool> g_changed{false};

}  // namespace

Result<std::unique_ptr<KeyTerminal>> KeyTerminal::open(int fd) {
  termios before{};
  if (::tcgetattr(fd, &before) != 0) return fail(os_error("cannot read keys", errno));
  Fd signals = RT_TRY(io::signal_descriptor({SIGTSTP, SIGQUIT, SIGHUP}));
  return std::unique_ptr<KeyTerminal>(new KeyTerminal(fd, std::move(signals), before));
}

KeyTerminal::KeyTerminal(int fd, Fd signals, const termios& before)
    : fd_(fd), signals_(std::move(signals)), keys_(before) {
  g_fd = fd;
  g_before = before;
  keys_.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // ISIG stays: Ctrl-C and Ctrl-Z
  keys_.c_cc[VMIN] = 0;
  keys_.c_cc[VTIME] = 0;
  listen();
}

KeyTerminal::~KeyTerminal() {
  restore_now();
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTSTP, SIGQUIT, SIGHUP}) sigaddset(&set, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void KeyTerminal::restore_now() {
  // From the background it would stop us; whoever put us there has set the terminal as he wants it.
  if (g_changed.exchange(false) && ::tcgetpgrp(g_fd) == ::getpgrp()) {
    ::tcsetattr(g_fd, TCSANOW, &g_before);
  }
}

bool KeyTerminal::in_foreground() const {
  return ::tcgetpgrp(fd_) == ::getpgrp();
}

// Also when the process has come back to the foreground, where a shell sets the terminal anew.
void KeyTerminal::listen() {
  const bool foreground = !gone_ && in_foreground();
  if (foreground && !listening_) {
    g_changed = true;
    ::tcsetattr(fd_, TCSANOW, &keys_);
  }
  listening_ = foreground;
}

void KeyTerminal::wait(int wake_fd, int timeout_ms) {
  listen();
  pollfd waits[3] = {
      {wake_fd, POLLIN, 0}, {signals_.get(), POLLIN, 0}, {listening_ ? fd_ : -1, POLLIN, 0}};
  const int ready = ::poll(waits, 3, timeout_ms);
  if (ready > 0 && (waits[2].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) gone_ = true;
}

std::string KeyTerminal::take_keys() {
  if (!listening_ || gone_ || !in_foreground()) return {};
  char buffer[256];
  const ssize_t n = ::read(fd_, buffer, sizeof buffer);  // VMIN is 0: it does not wait
  return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
}

KeyTerminal::Signal KeyTerminal::take_signal() {
  const int signal = io::take_signal(signals_);
  if (signal == SIGTSTP) return Signal::stop;
  if (signal != 0) die_of(signal);
  return Signal::none;
}

void KeyTerminal::hold() {
  restore_now();
  listening_ = false;
  ::raise(SIGSTOP);  // to this thread: it does not go on before the process has stopped
  listen();
}

void KeyTerminal::die_of(int signal) {
  restore_now();
  ::signal(signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::raise(signal);
  ::_exit(128 + signal);
}

}  // namespace rt::cli
