// Runs one of the three tools on a pseudo terminal, and shows what it wrote there.
#pragma once

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

namespace rt::test {

// A tool whose standard streams are a terminal of its own, 80 by 10.
struct OnTerminal {
  int fd = -1;
  pid_t pid = -1;
  std::string seen;

  explicit OnTerminal(std::vector<std::string> words) {
    words.front() = std::string(RT_BINARY_DIR "/bin/") + words.front();
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    winsize size{10, 80, 0, 0};
    pid = ::forkpty(&fd, nullptr, nullptr, &size);
    if (pid == 0) {
      ::setenv("TERM", "xterm", 1);
      ::setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
      ::unsetenv("NO_COLOR");
      ::unsetenv("COLUMNS");
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    REQUIRE(pid > 0);
  }
  ~OnTerminal() {
    if (pid > 0) ::kill(pid, SIGKILL);
    if (pid > 0) ::waitpid(pid, nullptr, 0);
    ::close(fd);
  }
  bool wait_for(const std::string& text) {
    char buffer[4096];
    while (seen.find(text) == std::string::npos) {
      pollfd wait{fd, POLLIN, 0};
      if (::poll(&wait, 1, 10'000) <= 0) return false;
      const ssize_t n = ::read(fd, buffer, sizeof buffer);
      if (n <= 0) return false;
      seen.append(buffer, static_cast<std::size_t>(n));
    }
    return true;
  }
  void press(const std::string& keys) {
    REQUIRE(::write(fd, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
  }
  // As a shell leaves it to programs that read lines.
  bool is_line_by_line() const {
    termios mode{};
    return ::tcgetattr(fd, &mode) == 0 && (mode.c_lflag & ICANON) != 0 &&
           (mode.c_lflag & ECHO) != 0;
  }
  // Reads to the end; the exit status.
  int finish() {
    wait_for("no such text");
    int status = 0;
    ::waitpid(pid, &status, 0);
    pid = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
};

}  // namespace rt::test
