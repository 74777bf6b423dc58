// The keys of a terminal, one by one as they are pressed, while a verb runs. The terminal is what
// it was when the object is gone, when a signal ends the process, and while Ctrl-Z holds it (POSIX,
// "General Terminal Interface"). In the background the terminal is left alone. One object at a
// time; one thread.
#pragma once

#include <termios.h>

#include <memory>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace rt::cli {

class KeyTerminal {
 public:
  // fd is a terminal. Call before other threads start: it blocks the signals it watches (SIGTSTP,
  // SIGQUIT, SIGHUP), which ready() must then be asked about.
  static Result<std::unique_ptr<KeyTerminal>> open(int fd);
  ~KeyTerminal();
  KeyTerminal(const KeyTerminal&) = delete;
  KeyTerminal& operator=(const KeyTerminal&) = delete;

  // Waits for keys or a signal, at most `timeout_ms`; `wake_fd` ends it too.
  void wait(int wake_fd, int timeout_ms);
  // What was pressed since; nothing any more when the terminal has gone.
  std::string take_keys();

  enum class Signal { none, stop };
  // stop: Ctrl-Z; call hold(). A signal that ends the process does so here.
  Signal take_signal();
  // Stops the process as Ctrl-Z does; returns when it goes on.
  void hold();

  // The terminal of the object that exists, if any, as it was: before _exit(). Async-signal-safe.
  static void restore_now();

 private:
  KeyTerminal(int fd, Fd signals, const termios& before);
  bool in_foreground() const;
  void listen();
  [[noreturn]] void die_of(int signal);

  int fd_;
  Fd signals_;
  termios keys_;
  bool listening_ = false;
  bool gone_ = false;
};

}  // namespace rt::cli
