// `rtctl serve` with the events surface, and raw HTTP to it.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "integration/patience.h"
#include "integration/private_redis.h"
#include "integration/running_tool.h"
#include "io/socket.h"
#include "server/http_client.h"

namespace rt::test {

class EventsServer {
 public:
  explicit EventsServer(const std::vector<std::string>& more,
                        const std::string& listen = "127.0.0.1:0",
                        const std::string& surfaces = "events") {
    std::vector<std::string> words = {"rtctl",    "serve", "--surfaces",        surfaces,
                                      "--listen", listen,  "--connections-max", "2000"};
    words.insert(words.end(), more.begin(), more.end());
    tool_ = std::make_unique<RunningTool>(words);
    REQUIRE(tool_->wait_for("rtctl: serving"));
    const std::string& text = tool_->error_text();
    const std::string url = text.substr(text.find("url=http://") + 11);
    const std::string port = url.substr(url.find(':') + 1, url.find(' ') - url.find(':') - 1);
    address_ = *io::parse_address("127.0.0.1:" + port);
  }

  const io::Address& address() const { return address_; }
  std::string url() const { return "http://" + address_.text(); }
  RunningTool& tool() const { return *tool_; }

  // The whole answer to one request.
  std::string ask(const std::string& line, const std::string& headers = {},
                  const std::string& body = {}) const {
    HttpClient client(address_);
    client.send(line + " HTTP/1.1\r\nHost: t\r\nConnection: close\r\n" + headers +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.until_closed();
  }
  std::string post(const std::string& body, const std::string& headers = {}) const {
    return ask("POST /events", headers, body);
  }
  nlohmann::json health() const {
    const std::string answer = ask("GET /health");
    return nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n")));
  }
  nlohmann::json events_health() const { return health()["surfaces"]["events"]; }

 private:
  std::unique_ptr<RunningTool> tool_;
  io::Address address_;
};

inline std::string status_of(const std::string& answer) {
  return answer.substr(0, answer.find("\r\n"));
}
inline std::string body_of(const std::string& answer) {
  const std::size_t at = answer.find("\r\n\r\n");
  return at == std::string::npos ? "" : answer.substr(at + 4);
}

// A stream, which its subscriber knows to be live: it has the first bytes.
class EventsClient {
 public:
  EventsClient(const EventsServer& server, const std::string& scope, std::uint64_t id,
               int receive_buffer_bytes = 0)
      : client_(server.address(), receive_buffer_bytes) {
    client_.get("/events?scope=" + scope + "&scope_id=" + std::to_string(id));
    client_.until("\r\n\r\n: retry 3000\n\n");
    REQUIRE(status_of(client_.received()) == "HTTP/1.1 200 OK");
    REQUIRE(body_of(client_.received()).rfind(": retry 3000\n\n", 0) == 0);
  }

  // The stream's bytes after its first, once they end with `last`.
  std::string until(const std::string& last) {
    client_.until_true([&] {
      const std::string& all = client_.received();
      return all.size() >= last.size() &&
             all.compare(all.size() - last.size(), last.size(), last) == 0;
    });
    return bytes();
  }
  std::string bytes() const {
    return body_of(client_.received()).substr(std::string(": retry 3000\n\n").size());
  }
  HttpClient& raw() { return client_; }

 private:
  HttpClient client_;
};

}  // namespace rt::test
