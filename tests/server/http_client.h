// A blocking HTTP client of a few lines, for tests of the server: what is sent and what came back,
// byte for byte. Every wait ends after kPatience.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "io/socket.h"

namespace rt::test {

class HttpClient {
 public:
  static constexpr int kPatienceMs = 10'000;

  explicit HttpClient(const io::Address& server, int receive_buffer_bytes = 0) {
    fd_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_buffer_bytes > 0) {
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                   sizeof receive_buffer_bytes);
    }
    connected_ = ::connect(fd_.get(), server.raw(), server.size) == 0;
  }

  bool connected() const { return connected_; }
  void send(std::string_view bytes) { ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // False if not all of it goes out now.
  bool try_send(std::string_view bytes) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent == static_cast<ssize_t>(bytes.size());
  }
  void shut() { ::shutdown(fd_.get(), SHUT_WR); }
  void reset() {
    const struct ::linger at_once { 1, 0 };
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fd_.close();
  }
  void get(std::string_view target, std::string_view headers = "") {
    send(std::string("GET ")
             .append(target)
             .append(" HTTP/1.1\r\nHost: t\r\n")
             .append(headers)
             .append("\r\n"));
  }
  void post(std::string_view target, std::string_view body) {
    send(std::string("POST ")
             .append(target)
             .append(" HTTP/1.1\r\nHost: t\r\nContent-Length: ")
             .append(std::to_string(body.size()))
             .append("\r\n\r\n")
             .append(body));
  }

  // Everything received so far, once it contains `marker`; what there is if that never comes.
  const std::string& until(std::string_view marker) {
    while (received_.find(marker) == std::string::npos && receive_some()) {
    }
    return received_;
  }
  // Receives until `holds` is true; false if that never comes.
  bool until_true(const std::function<bool()>& holds) {
    while (!holds()) {
      if (!receive_some()) return false;
    }
    return true;
  }
  // What has come, without waiting.
  void take_what_is_there() {
    char buffer[65536];
    for (ssize_t got = 0; (got = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0;) {
      received_.append(buffer, static_cast<std::size_t>(got));
    }
  }
  // Everything until the server ends the connection.
  const std::string& until_closed() {
    while (receive_some()) {
    }
    return received_;
  }
  bool closed() const { return closed_; }
  void forget() { received_.clear(); }
  void keep_from(std::size_t offset) { received_.erase(0, offset); }
  void receive_byte() {
    char byte = 0;
    if (::recv(fd_.get(), &byte, 1, 0) == 1) received_.push_back(byte);
  }
  const std::string& received() const { return received_; }

 private:
  bool receive_some() {
    pollfd ready{fd_.get(), POLLIN, 0};
    if (::poll(&ready, 1, kPatienceMs) != 1) return false;
    char buffer[65536];
    const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    closed_ = got <= 0;
    if (got > 0) received_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  Fd fd_;
  bool connected_ = false;
  bool closed_ = false;
  std::string received_;
};

}  // namespace rt::test
