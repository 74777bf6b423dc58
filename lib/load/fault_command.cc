#include "load/fault_command.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace rt {

// A command that has not ended with the run is left to itself: a server it started shall live.
FaultCommands::~FaultCommands() = default;

Result<void> FaultCommands::start(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
  ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  // This tool waits for its signals with them blocked; a command is to die of them as usual.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int error =
      ::posix_spawnp(&pid, arguments.front(), &actions, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(os_error(fmt::format("cannot run {}", words.front()), error));
  children_.push_back({pid, words.front()});
  return {};
}

std::vector<std::string> FaultCommands::ended() {
  std::vector<std::string> lines;
  for (std::size_t i = children_.size(); i-- > 0;) {
    int status = 0;
    if (::waitpid(children_[i].pid, &status, WNOHANG) != children_[i].pid) continue;
    if (WIFSIGNALED(status)) {
      lines.push_back(
          fmt::format("{} was killed by signal {}", children_[i].name, WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0) {
      lines.push_back(
          fmt::format("{} ended with status {}", children_[i].name, WEXITSTATUS(status)));
    }
    children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return lines;
}

}  // namespace rt
