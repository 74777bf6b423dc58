// An HTTP server that does exactly what a test says, one connection after the other, on loopback.
// The script runs on the server's thread once per accepted connection. Nothing sleeps: a script
// waits for bytes, for the client to leave, or for the test to end.
#pragma once

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/fd.h"

namespace rt::test {

// One accepted connection, as the script sees it.
class Peer {
 public:
  Peer(int fd, int stop) : fd_(fd), stop_(stop) {}

  // The next request head with its empty line, and the body if Content-Length says there is one.
  // Empty if the client left.
  std::string read_request() {
    std::string got;
    std::size_t need = std::string::npos;
    while (need == std::string::npos || got.size() < need) {
      const std::size_t end = got.find("\r\n\r\n");
      if (need == std::string::npos && end != std::string::npos) {
        need = end + 4 + body_size(got.substr(0, end));
        continue;
      }
      if (!receive(got)) return {};
    }
    return got;
  }

  // False once the client has left; scripts may ignore it.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  // The head of an endless event stream; `more` are extra header lines with CRLF.
  bool open_stream(const std::string& more = {}) {
    return send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + more + "\r\n");
  }
  // A complete answer with a body, then the end of the connection.
  void answer(const std::string& status, const std::string& more, const std::string& body) {
    send("HTTP/1.1 " + status + "\r\n" + more + "Content-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body);
  }
  // Waits until the client's kernel has acknowledged everything sent: a reset would discard it.
  void wait_until_acknowledged() {
    int unsent = 1;
    while (::ioctl(fd_.get(), SIOCOUTQ, &unsent) == 0 && unsent > 0) ::sched_yield();
  }
  // Orderly end: everything sent arrives, then EOF. Closing happens when the script returns.
  void finish() { ::shutdown(fd_.get(), SHUT_WR); }
  // Abortive end: the client sees "connection reset".
  void reset() {
    const ::linger now{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.close();
  }
  // Leaves the stream open until the client leaves or the test ends.
  void hold() {
    std::string ignored;
    while (receive(ignored)) ignored.clear();
  }

 private:
  static std::size_t body_size(const std::string& head) {
    const std::size_t at = head.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
  }
  bool receive(std::string& into) {
    pollfd waits[2] = {{fd_.get(), POLLIN, 0}, {stop_, POLLIN, 0}};
    if (!fd_ || ::poll(waits, 2, 30'000) <= 0 || waits[1].revents != 0) return false;
    char buffer[16384];
    const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    if (n <= 0) return false;
    into.append(buffer, static_cast<std::size_t>(n));
    return true;
  }

  Fd fd_;
  int stop_;
};

class ScriptedServer {
 public:
  // script(peer, n) serves connection number n, counted from 0.
  using Script = std::function<void(Peer& peer, std::size_t number)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    stop_ = Fd(::eventfd(0, EFD_CLOEXEC));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_.get(), 64) == 0);
    REQUIRE(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() {
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof one);
    thread_.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url(const std::string& path = "/stream") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  int port() const { return port_; }
  std::size_t connections() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  void serve() {
    for (;;) {
      pollfd waits[2] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
      if (::poll(waits, 2, -1) < 0 || waits[1].revents != 0) return;
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      std::size_t number = 0;
      {
        const std::lock_guard lock(mutex_);
        number = count_++;
      }
      Peer peer(fd, stop_.get());
      script_(peer, number);
    }
  }

  Script script_;
  Fd listener_;
  Fd stop_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::size_t count_ = 0;
  std::thread thread_;
};

}  // namespace rt::test
