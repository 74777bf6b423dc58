// What is shown of a run under way: on a terminal, and over HTTP.
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "io/socket.h"
#include "rtbench/live_screen.h"
#include "rtbench/live_server.h"

using rt::rtbench::blocks;
using rt::rtbench::live_screen;
using rt::rtbench::LiveServer;

namespace {

rt::EngineProgress progress_of() {
  rt::EngineProgress progress;
  progress.phase = "main";
  progress.elapsed_s = 72;
  progress.phase_left_s = 48;
  progress.asked = 20'000;
  progress.second.connections = 10'000;
  progress.second.offered = progress.second.sent = 1'000;
  progress.second.received = 2'000;
  progress.second.p50_us = 4'000;
  progress.second.p95_us = 21'000;
  progress.second.max_us = 40'000;
  return progress;
}

std::size_t width_of(const std::string& line) {  // in characters, without colours
  std::size_t width = 0;
  bool escape = false;
  for (const char c : line) {
    if (c == '\033') escape = true;
    if (!escape && (static_cast<unsigned char>(c) & 0xC0) != 0x80) ++width;
    if (escape && c == 'm') escape = false;
  }
  return width;
}

// One request as a browser sends it, and the whole answer.
std::string answer_of(const std::string& url, const std::string& request) {
  const std::string host = url.substr(7, url.size() - 8);
  const rt::io::Address address = rt::io::parse_address(host).value();
  const rt::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(socket.get(), address.raw(), address.size) == 0);
  REQUIRE(::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(socket.get(), buffer, sizeof buffer)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  return answer;
}

std::string get(const std::string& url, const std::string& path) {
  return answer_of(url, "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
}

}  // namespace

TEST_CASE("live screen: no line is wider than the terminal", "[live]") {
  const std::vector<rt::SecondSample> history(200, progress_of().second);
  for (const std::size_t columns : {60u, 80u, 100u, 132u, 200u}) {
    for (const std::string& line : live_screen(progress_of(), history, columns, true)) {
      INFO(columns << ": " << line);
      CHECK(width_of(line) <= columns);
    }
  }
  const auto lines = live_screen(progress_of(), history, 120, false);
  CHECK(lines[0].find("1:12  main, 0:48 left") != std::string::npos);
  CHECK(lines[1].find("10 000 of 20 000") != std::string::npos);
  for (const std::string& line : lines) CHECK(line.find('\033') == std::string::npos);
}

TEST_CASE("live screen: blocks are as high as their share of the highest", "[live]") {
  const std::vector<double> values = {0, 1, 4, 8};
  CHECK(blocks(values) == " ▁▄█");
  CHECK(blocks({}).empty());
  CHECK(blocks(std::vector<double>{0, 0}) == "  ");
}

TEST_CASE("live server: page, data and metrics of the moment; nothing else", "[live]") {
  const rt::SystemClock clock;
  const auto server = LiveServer::start("127.0.0.1:0", "quickstart", clock).value();
  server->publish(progress_of());
  server->publish(progress_of());
  const std::string page = get(server->url(), "/");
  CHECK(page.starts_with("HTTP/1.1 200 OK"));
  CHECK(page.find("Content-Security-Policy: default-src 'none'") != std::string::npos);
  const std::string data = get(server->url(), "/live.json");
  const auto live = nlohmann::json::parse(data.substr(data.find("\r\n\r\n") + 4));
  CHECK(live.at("scenario") == "quickstart");
  CHECK(live.at("seconds").size() == 2);
  CHECK(live.at("seconds")[0].size() == live.at("columns").size());
  const std::string metrics = get(server->url(), "/metrics");
  CHECK(metrics.find("rtbench_deliveries_received_total{scenario=\"quickstart\"} 4000\n") !=
        std::string::npos);
  CHECK(get(server->url(), "/other").starts_with("HTTP/1.1 404"));
  CHECK(answer_of(server->url(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            .starts_with("HTTP/1.1 405"));
  CHECK(answer_of(server->url(), "nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
}

TEST_CASE("live server: clients that say nothing do not keep others out", "[live]") {
  const rt::SystemClock clock;
  const auto server = LiveServer::start("127.0.0.1:0", "quickstart", clock).value();
  const rt::io::Address address =
      rt::io::parse_address(server->url().substr(7, server->url().size() - 8)).value();
  std::vector<rt::Fd> silent;
  for (int i = 0; i < 100; ++i) {
    silent.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(silent.back().get(), address.raw(), address.size) == 0);
  }
  CHECK(get(server->url(), "/").starts_with("HTTP/1.1 200 OK"));
}
