// An HTTP server for `publish --await`: whoever GETs is a subscriber; what is POSTed goes to all of
// them as the frame that the test makes of it. A thread a connection; loopback.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "integration/scripted_server.h"

namespace rt::test {

class EchoServer {
 public:
  // frame(target, body): "data: ...\n\n", or empty to keep it to itself. Of the POST's path.
  using Frame = std::function<std::string(const std::string& path, const std::string& body)>;
  // reply: the body of the answer to a POST.
  explicit EchoServer(Frame frame, std::string reply = "{}")
      : frame_(std::move(frame)), reply_(std::move(reply)) {
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
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~EchoServer() {
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof one);
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
  }
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // The targets of all GETs and POSTs so far: "GET /topics/a/events".
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void accept_all() {
    for (;;) {
      pollfd waits[2] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
      if (::poll(waits, 2, -1) < 0 || waits[1].revents != 0) return;
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) threads_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    const auto peer = std::make_shared<Peer>(fd, stop_.get());
    for (std::string request; !(request = peer->read_request()).empty();) {
      const std::size_t method_end = request.find(' ');
      const std::string path =
          request.substr(method_end + 1, request.find(' ', method_end + 1) - method_end - 1);
      const std::string body = request.substr(request.find("\r\n\r\n") + 4);
      std::unique_lock lock(mutex_);
      requests_.push_back(request.substr(0, method_end + 1) + path);
      if (request.rfind("GET", 0) == 0) {
        peer->open_stream();
        if (!late_.empty()) peer->send(late_);
        subscribers_.push_back(peer);
        lock.unlock();
        return peer->hold();
      }
      const std::string frame = frame_(path, body);
      if (subscribers_.empty()) late_ += frame;  // a stream that tells its past
      for (const auto& subscriber : subscribers_) subscriber->send(frame);
      peer->send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(reply_.size()) +
                 "\r\n\r\n" + reply_);
    }
  }

  Frame frame_;
  std::string reply_;
  Fd listener_;
  Fd stop_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::string late_;
  std::vector<std::shared_ptr<Peer>> subscribers_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace rt::test
