// A blocking HTTP/2 client over a socket without TLS, for tests of the server. Every wait ends
// after kPatienceMs.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <functional>
#include <string>

#include "base/fd.h"
#include "io/socket.h"
#include "proto/http2_client.h"

namespace rt::test {

class Http2Connection {
 public:
  static constexpr int kPatienceMs = 10'000;

  explicit Http2Connection(const io::Address& server, const Http2ClientOptions& options = {},
                           int receive_buffer_bytes = 0)
      : client(options), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer_bytes > 0) {
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                   sizeof receive_buffer_bytes);
    }
    (void)::connect(fd_.get(), server.raw(), server.size);
  }

  void send(std::string_view bytes) { ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // Hands over what the client has to say.
  void flush() { send(client.take_output()); }
  std::int32_t get(const std::string& path, const Http2Client::Fields& more = {}) {
    Http2Client::Fields fields = Http2Client::head("GET", path);
    fields.insert(fields.end(), more.begin(), more.end());
    const std::int32_t id = client.request(fields);
    flush();
    return id;
  }
  std::int32_t post(const std::string& path, const std::string& body) {
    Http2Client::Fields fields = Http2Client::head("POST", path);
    fields.emplace_back("content-length", std::to_string(body.size()));
    const std::int32_t id = client.request(fields, body);
    flush();
    return id;
  }
  // Receives until `holds` is true; false if that never comes.
  bool until(const std::function<bool()>& holds) {
    while (!holds()) {
      if (!receive_some()) return holds();
    }
    return true;
  }
  bool until_body(std::int32_t id, std::string_view text) {
    return until([&] { return client.answer(id).body.find(text) != std::string::npos; });
  }
  bool until_closed() {
    while (receive_some()) {
    }
    return closed_;
  }

  Http2Client client;

 private:
  bool receive_some() {
    pollfd ready{fd_.get(), POLLIN, 0};
    if (::poll(&ready, 1, kPatienceMs) != 1) return false;
    char buffer[65536];
    const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    closed_ = got <= 0;
    if (closed_ || !client.receive({buffer, static_cast<std::size_t>(got)})) return false;
    flush();
    return true;
  }

  Fd fd_;
  bool closed_ = false;
};

}  // namespace rt::test
