// The service's side of systemd's protocols, against a datagram socket of the test's own.
#include "io/systemd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "io/socket.h"

using namespace rt;
using namespace rt::io;

namespace {

// Set while it exists.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

// systemd's end. A name that begins with @ is abstract.
class NotifySocket {
 public:
  explicit NotifySocket(std::string name) : name_(std::move(name)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name_.data(), name_.size());
    if (name_.front() == '@') address.sun_path[0] = '\0';
    fd_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  }
  ~NotifySocket() {
    if (name_.front() == '/') ::unlink(name_.c_str());
  }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  const std::string& name() const { return name_; }
  std::string receive() const {
    pollfd ready{fd_.get(), POLLIN, 0};
    REQUIRE(::poll(&ready, 1, 10'000) == 1);
    char buffer[4096];
    const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    REQUIRE(got >= 0);
    return {buffer, static_cast<std::size_t>(got)};
  }

 private:
  std::string name_;
  Fd fd_;
};

std::string name_of(const char* kind) {
  return fmt::format("{}rt-notify-test-{}", kind, ::getpid());
}

// The exit status of `work` in a process of its own, whose descriptor 3 is `fd`.
int status_with_third(int fd, const std::string& count, const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (fd != 3 && ::dup2(fd, 3) != 3) ::_exit(99);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", count.c_str(), 1);
    ::_exit(work());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int refusal() {
  const auto taken = inherited_listener();
  return !taken && taken.error().code == Code::usage ? 0 : 1;
}

}  // namespace

TEST_CASE("systemd: each message is one datagram, to a path as to an abstract name", "[systemd]") {
  for (const char* kind : {"/tmp/", "@"}) {
    const NotifySocket systemd(name_of(kind));
    const Variable variable("NOTIFY_SOCKET", systemd.name());
    auto notifier = SystemdNotifier::from_environment();
    REQUIRE(notifier);
    CHECK(notifier->is_heard());
    REQUIRE(notifier->ready("serving http://127.0.0.1:80"));
    CHECK(systemd.receive() == "READY=1\nSTATUS=serving http://127.0.0.1:80");
    REQUIRE(notifier->reloading(Instant(std::chrono::milliseconds(12'345))));
    CHECK(systemd.receive() == "RELOADING=1\nMONOTONIC_USEC=12345000");
    REQUIRE(notifier->watchdog());
    CHECK(systemd.receive() == "WATCHDOG=1");
    REQUIRE(notifier->stopping());
    CHECK(systemd.receive() == "STOPPING=1\nSTATUS=stopping");
  }
}

TEST_CASE("systemd: a line feed in a status begins no assignment", "[systemd]") {
  const NotifySocket systemd(name_of("@"));
  const Variable variable("NOTIFY_SOCKET", systemd.name());
  auto notifier = SystemdNotifier::from_environment();
  REQUIRE(notifier);
  REQUIRE(notifier->status("a\nMAINPID=1"));
  CHECK(systemd.receive() == "STATUS=a MAINPID=1");
}

TEST_CASE("systemd: without it everything succeeds and nothing happens", "[systemd]") {
  auto notifier = SystemdNotifier::from_environment();
  REQUIRE(notifier);
  CHECK_FALSE(notifier->is_heard());
  CHECK_FALSE(notifier->watchdog_time());
  CHECK(notifier->ready("x"));
  const auto listener = inherited_listener();
  REQUIRE(listener);
  CHECK_FALSE(listener->has_value());
}

TEST_CASE("systemd: the watchdog is this process's, or nobody's", "[systemd]") {
  const NotifySocket systemd(name_of("@"));
  const Variable variable("NOTIFY_SOCKET", systemd.name());
  const Variable time("WATCHDOG_USEC", "30000000");
  CHECK(SystemdNotifier::from_environment()->watchdog_time() == std::chrono::seconds(30));
  {
    const Variable ours("WATCHDOG_PID", std::to_string(::getpid()));
    CHECK(SystemdNotifier::from_environment()->watchdog_time() == std::chrono::seconds(30));
  }
  const Variable other("WATCHDOG_PID", std::to_string(::getppid()));
  CHECK_FALSE(SystemdNotifier::from_environment()->watchdog_time());
}

TEST_CASE("systemd: a notify socket that cannot be used is an error", "[systemd]") {
  for (const std::string& name : std::vector<std::string>{"relative", "/nonexistent/notify", "@"}) {
    CAPTURE(name);
    const Variable variable("NOTIFY_SOCKET", name);
    CHECK_FALSE(SystemdNotifier::from_environment());
  }
}

TEST_CASE("systemd: a listening socket is taken over, ready for a poller", "[systemd]") {
  const Fd listener = *listen_on(*parse_address("127.0.0.1:0"), {});
  const std::uint16_t port = local_address(listener.get())->port();
  CHECK(status_with_third(listener.get(), "1", [port] {
          auto taken = inherited_listener();
          if (!taken || !*taken) return 1;
          const int fd = (*taken)->get();
          if (local_address(fd)->port() != port) return 2;
          if ((::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0) return 3;
          return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0 ? 4 : 0;
        }) == 0);
}

TEST_CASE("systemd: two sockets, or one that does not listen for TCP, are refused", "[systemd]") {
  const Fd listener = *listen_on(*parse_address("127.0.0.1:0"), {});
  CHECK(status_with_third(listener.get(), "2", refusal) == 0);
  const Fd idle(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(status_with_third(idle.get(), "1", refusal) == 0);
  const Fd datagrams(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  CHECK(status_with_third(datagrams.get(), "1", refusal) == 0);
}

TEST_CASE("systemd: what was meant for another process is left alone", "[systemd]") {
  const Variable process("LISTEN_PID", std::to_string(::getppid()));
  const Variable count("LISTEN_FDS", "1");
  const auto listener = inherited_listener();
  REQUIRE(listener);
  CHECK_FALSE(listener->has_value());
}
