// A running `rtctl serve` with the topics surface on a real PostgreSQL, and what is asked of it.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "integration/patience.h"
#include "integration/private_postgres.h"
#include "integration/running_tool.h"
#include "io/socket.h"
#include "server/http_client.h"

namespace rt::test {

struct TopicsInstance {
  explicit TopicsInstance(const PrivatePostgres& postgres,
                          const std::vector<std::string>& more = {},
                          const RunningTool::Environment& environment = {}) {
    std::vector<std::string> words = {"rtctl",      "serve",  "--listen", "127.0.0.1:0",
                                      "--surfaces", "topics", "--pg",     postgres.dsn()};
    words.insert(words.end(), more.begin(), more.end());
    tool = std::make_unique<RunningTool>(words, environment);
    REQUIRE(tool->wait_for("listening for notifications"));
    REQUIRE(tool->wait_for("rtctl: serving"));
    address = logged("url=http://");
  }
  // What follows `key` in its log, up to the next space or line end.
  std::string logged(const std::string& key) const {
    REQUIRE(tool->wait_for(key));
    const std::string& text = tool->error_text();
    const std::size_t at = text.find(key);
    REQUIRE(at != std::string::npos);
    const std::size_t begin = at + key.size();
    return text.substr(begin, text.find_first_of(" /\n", begin) - begin);
  }
  std::string url() const { return "http://" + address; }
  io::Address at() const { return *io::parse_address(address); }

  // The whole answer to one request.
  std::string ask(const std::string& request) const {
    HttpClient client(at());
    client.send(request);
    return client.until_closed();
  }
  std::string get(const std::string& path, const std::string& headers = "") const {
    return ask("GET " + path + " HTTP/1.1\r\nHost: t\r\nConnection: close\r\n" + headers + "\r\n");
  }
  std::string post(const std::string& topic, const std::string& body,
                   const std::string& headers = "") const {
    return ask("POST /topics/" + topic + "/events HTTP/1.1\r\nHost: t\r\nConnection: close\r\n" +
               headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  // The answer to a publish; its first line and its body.
  std::string publish(const std::string& topic, const std::string& data) const {
    return post(topic, "{\"data\":" + data + "}");
  }
  nlohmann::json health(const std::string& query = "") const {
    const std::string answer = get("/healthz" + query);
    return nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n")));
  }
  // A subscriber that is known to listen.
  std::unique_ptr<HttpClient> subscribe(const std::string& topic, const std::string& headers = "",
                                        int receive_buffer_bytes = 0) const {
    auto client = std::make_unique<HttpClient>(at(), receive_buffer_bytes);
    client->get("/topics/" + topic + "/events", headers);
    INFO(client->received());
    REQUIRE(client->until(": listening " + topic + "\n\n").find(": listening ") !=
            std::string::npos);
    return client;
  }

  std::unique_ptr<RunningTool> tool;
  std::string address;
};

// "200" of an answer.
inline std::string status_code_of(const std::string& answer) {
  return answer.size() < 12 ? std::string() : answer.substr(9, 3);
}

}  // namespace rt::test
