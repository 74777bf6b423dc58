// Servers that a test starts for itself: a folder, a free port, a process that dies with the test.
// Everything fails the test (throws) when it cannot be had.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

struct passwd;

namespace rt::test {

[[noreturn]] void give_up(const std::string& what);

// /tmp/rt-test-<purpose>-XXXXXX (TMPDIR is honoured).
std::string make_folder(const std::string& purpose);

// A port of 127.0.0.1 that nobody listens on now.
int free_port();

struct ChildOptions {
  const passwd* user = nullptr;  // become this user
  int death_signal = SIGKILL;    // sent to it when the test dies
};
// Starts a program (found in PATH) in a process group of its own, its output appended to `log`.
pid_t launch(std::vector<std::string> command, const std::string& log,
             const ChildOptions& options = {});

// SIGKILL, and waits until it is gone.
void kill_child(pid_t pid);

std::string read_text(const std::string& path);

// `openssl WORDS` in this folder; fails the test if that fails.
void run_openssl(const std::string& folder, const std::string& words);

}  // namespace rt::test
