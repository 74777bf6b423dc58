#include "integration/child_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "base/fd.h"

namespace rt::test {

void give_up(const std::string& what) {
  throw std::runtime_error(what);
}

std::string make_folder(const std::string& purpose) {
  const char* base = std::getenv("TMPDIR");
  std::string path = fmt::format("{}/rt-test-{}-XXXXXX", base != nullptr ? base : "/tmp", purpose);
  if (::mkdtemp(path.data()) == nullptr) give_up("cannot make a folder like " + path);
  return path;
}

int free_port() {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), generic, size) != 0 || ::getsockname(fd.get(), generic, &size) != 0) {
    give_up("no free loopback port");
  }
  return ntohs(address.sin_port);
}

pid_t launch(std::vector<std::string> command, const std::string& log,
             const ChildOptions& options) {
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  // Its own group: Ctrl-C on the test must not race with an orderly stop.
  ::setpgid(0, 0);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::close_range(3, ~0u, 0);
  const passwd* user = options.user;
  if (user != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 ||
                          ::setuid(user->pw_uid) != 0)) {
    ::_exit(126);
  }
  if (::chdir("/") != 0) ::_exit(126);
  ::unsetenv("PGDATA");
  // After setuid, which clears it.
  ::prctl(PR_SET_PDEATHSIG, options.death_signal);
  if (::getppid() != parent) ::_exit(126);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

void kill_child(pid_t pid) {
  ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
}

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void run_openssl(const std::string& folder, const std::string& words) {
  const pid_t pid =
      launch({"/bin/sh", "-c", "cd " + folder + " && openssl " + words}, folder + "/openssl.log");
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid || status != 0) {
    give_up("openssl " + words + " failed: " + read_text(folder + "/openssl.log"));
  }
}

}  // namespace rt::test
