// A server of topics on loopback that misbehaves in one way, for rtbench to find out. Events are
// posted to it and streamed by it, so the test needs nothing else. A thread of its own.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "io/socket.h"
#include "io/wakeup.h"

namespace rt::test {

struct Lie {
  // What subscribers get of event number n (from 1).
  enum class Fate { deliver, drop, twice, after_next };
  std::function<Fate(std::uint64_t)> fate = [](std::uint64_t) { return Fate::deliver; };
  // What becomes of the data of event number n.
  std::function<void(std::uint64_t, std::string&)> alter = [](std::uint64_t, std::string&) {};
  std::uint64_t stall_at = 0;  // event number at which everything is held back
  Duration stall{};
  Duration gather{};           // a buffering proxy: output goes out only so often
  Duration slow_accept{};      // a stream request is answered so much later
  std::uint64_t reset_at = 0;  // event number at which all streams are reset
  std::string answer{};        // instead of a stream
  bool heartbeats_only = false;
};

class LyingServer {
 public:
  explicit LyingServer(Lie lie) : lie_(std::move(lie)), wakeup_(std::move(*io::Wakeup::create())) {
    io::Address any = *io::parse_address("127.0.0.1:0");
    listener_ = std::move(*io::listen_on(any, {}));
    port_ = io::local_address(listener_.get())->port();
    thread_ = std::thread([this] { run(); });
  }
  ~LyingServer() {
    stopped_ = true;
    wakeup_.ring();
    thread_.join();
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/topics/{topic}/events";
  }

 private:
  struct Client {
    Fd socket;
    std::string in;
    std::string topic;  // of a stream
    std::string held;   // an event that comes after the next
    std::string out;
    Instant not_before{};
  };

  void run() {
    while (!stopped_) {
      std::vector<pollfd> waits{{listener_.get(), POLLIN, 0}, {wakeup_.fd(), POLLIN, 0}};
      for (const Client& client : clients_) waits.push_back({client.socket.get(), POLLIN, 0});
      ::poll(waits.data(), waits.size(), 5);
      if (waits[1].revents != 0) wakeup_.answer();
      const std::size_t known = clients_.size();
      if (waits[0].revents != 0) accept();
      for (std::size_t i = known; i-- > 0;) {
        if (waits[i + 2].revents != 0) read(i);
      }
      if (resets_) reset_all();
      flush();
    }
  }

  void accept() {
    for (;;) {
      Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!socket) return;
      clients_.push_back({std::move(socket), {}, {}, {}, {}, {}});
    }
  }

  void read(std::size_t i) {
    char buffer[65536];
    Client& client = clients_[i];
    const ssize_t got = ::recv(client.socket.get(), buffer, sizeof buffer, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(i));
      return;
    }
    client.in.append(buffer, static_cast<std::size_t>(got));
    for (;;) {
      const std::size_t head = client.in.find("\r\n\r\n");
      if (head == std::string::npos) return;
      const std::size_t path = client.in.find("/topics/") + 8;
      const std::string topic = client.in.substr(path, client.in.find('/', path) - path);
      if (client.in.starts_with("GET")) {
        open(client, topic);
        return;
      }
      const std::size_t length = client.in.find("Content-Length: ") + 16;
      const std::size_t body = std::stoul(client.in.substr(length, 10));
      if (client.in.size() < head + 4 + body) return;
      const std::string text = client.in.substr(head + 4, body);
      client.in.erase(0, head + 4 + body);
      client.out += "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
      publish(topic, text.substr(8, text.size() - 9));  // {"data":...}
    }
  }

  void open(Client& client, const std::string& topic) {
    client.in.clear();
    client.topic = topic;
    client.not_before = clock_.now() + lie_.slow_accept;
    client.out = !lie_.answer.empty()
                     ? lie_.answer
                     : "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: listening\n\n";
  }

  void publish(const std::string& topic, std::string data) {
    ++count_;
    lie_.alter(count_, data);
    if (count_ == lie_.stall_at) stalled_until_ = clock_.now() + lie_.stall;
    if (count_ == lie_.reset_at) resets_ = true;
    const std::string event = lie_.heartbeats_only ? ": heartbeat\n\n" : "data: " + data + "\n\n";
    const Lie::Fate fate = lie_.fate(count_);
    for (Client& client : clients_) {
      if (client.topic != topic) continue;
      std::string before;
      before.swap(client.held);
      if (fate == Lie::Fate::drop) continue;
      if (fate == Lie::Fate::after_next) {
        client.held = event;
        continue;
      }
      client.out += event;
      if (fate == Lie::Fate::twice) client.out += event;
      client.out += before;
    }
  }

  void reset_all() {
    resets_ = false;
    for (std::size_t i = clients_.size(); i-- > 0;) {
      if (clients_[i].topic.empty()) continue;
      const linger at_once{1, 0};
      ::setsockopt(clients_[i].socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      clients_[i].topic = "-";
      clients_[i].socket.close();
    }
    std::erase_if(clients_, [](const Client& client) { return client.topic == "-"; });
  }

  void flush() {
    const Instant now = clock_.now();
    const bool stalled = now < stalled_until_;
    const bool gathers = now < gathered_at_ + lie_.gather;
    if (!gathers) gathered_at_ = now;
    for (Client& client : clients_) {
      const bool stream = !client.topic.empty();
      if (client.out.empty() || (stream && (stalled || gathers || now < client.not_before))) {
        continue;
      }
      const ssize_t n =
          ::send(client.socket.get(), client.out.data(), client.out.size(), MSG_NOSIGNAL);
      if (n > 0) client.out.erase(0, static_cast<std::size_t>(n));
    }
  }

  const Lie lie_;
  SystemClock clock_;
  io::Wakeup wakeup_;
  Fd listener_;
  std::uint16_t port_ = 0;
  std::vector<Client> clients_;
  std::uint64_t count_ = 0;
  bool resets_ = false;
  Instant stalled_until_{};
  Instant gathered_at_{};
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace rt::test
