#include "cli/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "base/clock.h"
#include "base/fd.h"

namespace rt::cli_test {
namespace {

struct Pipe {
  Fd read;
  Fd write;
};

Pipe open_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  return {Fd(ends[0]), Fd(ends[1])};
}

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> words = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=/nonexistent"};
  // The private database of scripts/with-postgres, if the tests run beside one.
  for (const char* name : {"RT_TEST_PG", "PGPASSFILE", "ASAN_OPTIONS", "UBSAN_OPTIONS"}) {
    const char* value = std::getenv(name);
    if (value != nullptr) words.push_back(std::string(name) + "=" + value);
  }
  for (const auto& [name, value] : command.environment) words.push_back(name + "=" + value);
  return words;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

// Reads what is there; closes the descriptor at its end.
void drain(Fd& fd, std::string& into) {
  std::array<char, 65536> buffer{};
  const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
  if (n > 0) into.append(buffer.data(), static_cast<std::size_t>(n));
  if (n <= 0) fd.close();
}

int status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace

Outcome run(const Command& command) {
  std::vector<std::string> words = command.words;
  const std::string program = std::string(RT_BINARY_DIR) + "/bin/" + words.at(0);
  std::vector<std::string> environment = environment_of(command);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(environment);
  Pipe in = open_pipe();
  Pipe out = open_pipe();
  Pipe err = open_pipe();
  if (command.close_output) out.read.close();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::signal(SIGPIPE, SIG_DFL);  // as a shell starts it
    ::dup2(in.read.get(), 0);
    ::dup2(out.write.get(), 1);
    ::dup2(err.write.get(), 2);
    ::execve(program.c_str(), argv.data(), envp.data());
    ::_exit(127);
  }
  in.read.close();
  out.write.close();
  err.write.close();
  // All inputs of these tests fit into a pipe (64 KiB), so this cannot block.
  if (!command.input.empty() &&
      ::write(in.write.get(), command.input.data(), command.input.size()) < 0) {
    throw std::runtime_error("cannot write the input");
  }
  in.write.close();

  Outcome outcome;
  const SystemClock clock;
  const Instant end = clock.now() + command.deadline;
  while (out.read || err.read) {
    std::array<pollfd, 2> waits = {
        {{out.read ? out.read.get() : -1, POLLIN, 0}, {err.read ? err.read.get() : -1, POLLIN, 0}}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - clock.now());
    if (left.count() <= 0) {
      outcome.timed_out = true;
      ::kill(pid, SIGKILL);
      break;
    }
    ::poll(waits.data(), waits.size(), static_cast<int>(left.count()));
    if (waits[0].revents != 0) drain(out.read, outcome.out);
    if (waits[1].revents != 0) drain(err.read, outcome.err);
  }
  int wait_status = 0;
  ::waitpid(pid, &wait_status, 0);
  outcome.status = status_of(wait_status);
  return outcome;
}

std::string last_line(const std::string& text) {
  std::string line = text;
  while (!line.empty() && line.back() == '\n') line.pop_back();
  const std::size_t at = line.rfind('\n');
  return at == std::string::npos ? line : line.substr(at + 1);
}

}  // namespace rt::cli_test
