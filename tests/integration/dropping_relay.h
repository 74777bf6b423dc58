// A relay between a subscriber and a server of event streams that swallows one whole event of what
// the server sends, or changes the bytes. It knows chunked coding just well enough to leave the
// framing intact. On loopback.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "io/socket.h"
#include "io/wakeup.h"

namespace rt::test {

class DroppingRelay {
 public:
  // Drops the frame of event number `nth` (from 1) that begins with "event: delta" in its second
  // line.
  DroppingRelay(const std::string& target, std::uint64_t nth)
      : target_(*io::parse_address(target)),
        nth_(nth),
        wakeup_(std::move(*io::Wakeup::create())),
        listener_(std::move(*io::listen_on(*io::parse_address("127.0.0.1:0"), {}))) {
    address_ = io::local_address(listener_.get())->text();
    thread_ = std::thread([this] { run(); });
  }
  // Drops nothing; what the server sends is changed by `rewrite`, read by read.
  DroppingRelay(const std::string& target, std::function<void(std::string&)> rewrite)
      : DroppingRelay(target, ~std::uint64_t{0}) {
    const std::lock_guard lock(mutex_);
    rewrite_ = std::move(rewrite);
  }
  ~DroppingRelay() {
    stopped_ = true;
    wakeup_.ring();
    thread_.join();
  }

  const std::string& address() const { return address_; }
  bool has_dropped() const { return dropped_; }

 private:
  struct Pair {
    Fd client;
    Fd server;
  };

  void run() {
    while (!stopped_) {
      std::vector<pollfd> waits{{listener_.get(), POLLIN, 0}, {wakeup_.fd(), POLLIN, 0}};
      for (const Pair& pair : pairs_) {
        waits.push_back({pair.client.get(), POLLIN, 0});
        waits.push_back({pair.server.get(), POLLIN, 0});
      }
      ::poll(waits.data(), waits.size(), -1);
      std::size_t at = 2;
      for (auto pair = pairs_.begin(); pair != pairs_.end(); at += 2) {
        const bool open = (waits[at].revents == 0 || pass_up(*pair)) &&
                          (waits[at + 1].revents == 0 || pass_down(*pair));
        pair = open ? std::next(pair) : pairs_.erase(pair);
      }
      if (waits[0].revents != 0) accept();
    }
  }

  void accept() {
    Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) return;
    Fd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(server.get(), target_.raw(), target_.size) != 0) return;
    pairs_.push_back({std::move(client), std::move(server)});
  }

  static bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  static bool pass_up(Pair& pair) {
    char buffer[4096];
    const ssize_t got = ::recv(pair.client.get(), buffer, sizeof buffer, 0);
    return got > 0 && send_all(pair.server.get(), {buffer, static_cast<std::size_t>(got)});
  }

  // The server writes each event in one send; a read that holds exactly one `delta` frame (and its
  // chunk framing) can go as a whole. Anything else passes, and the next candidate is taken.
  bool pass_down(Pair& pair) {
    char buffer[65536];
    const ssize_t got = ::recv(pair.server.get(), buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    std::string bytes(buffer, static_cast<std::size_t>(got));
    {
      const std::lock_guard lock(mutex_);
      if (rewrite_) rewrite_(bytes);
    }
    const std::size_t first = bytes.find("\nevent: delta\n");
    const bool one = first != std::string::npos &&
                     bytes.find("\nevent: ", first + 1) == std::string::npos &&
                     bytes.find("HTTP/1.1") == std::string::npos;
    const bool whole = bytes.ends_with("\n\n") || bytes.ends_with("\n\n\r\n");
    if (one && whole && ++count_ >= nth_ && !dropped_) {
      dropped_ = true;
      return true;
    }
    return send_all(pair.client.get(), bytes);
  }

  io::Address target_;
  std::uint64_t nth_;
  io::Wakeup wakeup_;
  Fd listener_;
  std::string address_;
  std::list<Pair> pairs_;
  std::uint64_t count_ = 0;
  std::mutex mutex_;
  std::function<void(std::string&)> rewrite_;
  std::atomic<bool> dropped_{false};
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace rt::test
