#include "integration/private_redis.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "base/fd.h"
#include "integration/patience.h"

namespace rt::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what);
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

std::string make_folder() {
  const char* base = std::getenv("TMPDIR");
  std::string path = fmt::format("{}/rt-redis-XXXXXX", base != nullptr ? base : "/tmp");
  if (::mkdtemp(path.data()) == nullptr) give_up("cannot make a folder like " + path);
  return path;
}

int launch(std::vector<std::string> command, const std::string& log) {
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int parent = ::getpid();
  const int pid = ::fork();
  if (pid != 0) return pid;
  ::setpgid(0, 0);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::close_range(3, ~0u, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

PrivateRedis::PrivateRedis(std::vector<std::string> more)
    : more_(std::move(more)), folder_(make_folder()), port_(free_port()) {
  start();
}

PrivateRedis::~PrivateRedis() {
  if (pid_ > 0) kill_9();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string PrivateRedis::url() const {
  return fmt::format("redis://127.0.0.1:{}", port_);
}

std::string PrivateRedis::unix_url() const {
  return fmt::format("unix://{}/socket", folder_);
}

void PrivateRedis::start() {
  std::vector<std::string> command{"redis-server",
                                   "--bind",
                                   "127.0.0.1",
                                   "--port",
                                   std::to_string(port_),
                                   "--unixsocket",
                                   folder_ + "/socket",
                                   "--dir",
                                   folder_,
                                   "--save",
                                   "",
                                   "--appendonly",
                                   "no"};
  command.insert(command.end(), more_.begin(), more_.end());
  const std::string log = folder_ + "/log";
  std::error_code ignored;
  fs::remove(log, ignored);
  pid_ = launch(command, log);
  if (pid_ < 0) give_up("cannot fork");
  const auto log_text = [&log] {
    std::ifstream in(log);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  // Not asked over a connection: it may want a password.
  const bool ready = eventually(30s, [&] {
    return log_text().find("The server is now ready to accept connections at") != std::string::npos;
  });
  if (!ready) give_up("redis-server does not start: " + log_text());
}

void PrivateRedis::kill_9() {
  ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = 0;
}

RedisConnection PrivateRedis::connect() const {
  const auto address = parse_redis_url(url());
  auto connection = RedisConnection::connect(*address);
  if (!connection) give_up(connection.error().text);
  return std::move(*connection);
}

RedisReply PrivateRedis::command(const std::vector<std::string_view>& words) const {
  auto reply = connect().command(words, "test command");
  if (!reply) give_up(reply.error().text);
  return std::move(*reply);
}

}  // namespace rt::test
