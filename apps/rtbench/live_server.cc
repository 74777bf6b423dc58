#include "rtbench/live_server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "io/socket.h"
#include "report/prometheus.h"

namespace rt::rtbench {
namespace {

constexpr std::uint64_t kListenerToken = 0;
constexpr std::uint64_t kWakeupToken = 1;

std::string response(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "Content-Security-Policy: default-src 'none'; script-src 'unsafe-inline'; style-src "
      "'unsafe-inline'; connect-src 'self'\r\nX-Content-Type-Options: nosniff\r\n"
      "Connection: close\r\n\r\n{}",
      status, type, body.size(), body);
}

}  // namespace

Result<std::unique_ptr<LiveServer>> LiveServer::start(const std::string& address,
                                                      const std::string& scenario,
                                                      const Clock& clock) {
  const io::Address at = RT_TRY(io::parse_address(address));
  Fd listener = RT_TRY(io::listen_on(at, {}));
  const io::Address bound = RT_TRY(io::local_address(listener.get()));
  io::Poller poller = RT_TRY(io::Poller::create());
  io::Wakeup wakeup = RT_TRY(io::Wakeup::create());
  RT_CHECKED(poller.watch(listener.get(), kListenerToken, io::Interest::read));
  RT_CHECKED(poller.watch(wakeup.fd(), kWakeupToken, io::Interest::read));
  return std::unique_ptr<LiveServer>(
      new LiveServer(std::move(listener), std::move(poller), std::move(wakeup),
                     "http://" + bound.text() + "/", scenario, clock));
}

LiveServer::LiveServer(Fd listener, io::Poller poller, io::Wakeup wakeup, std::string url,
                       std::string scenario, const Clock& clock)
    : listener_(std::move(listener)),
      poller_(std::move(poller)),
      wakeup_(std::move(wakeup)),
      url_(std::move(url)),
      scenario_(std::move(scenario)),
      clock_(clock),
      thread_([this] { run(); }) {}

LiveServer::~LiveServer() {
  over_ = true;
  wakeup_.ring();
  thread_.join();
}

void LiveServer::publish(const EngineProgress& progress) {
  const std::lock_guard lock(mutex_);
  now_ = progress;
  totals_.offered += progress.second.offered;
  totals_.sent += progress.second.sent;
  totals_.received += progress.second.received;
  seconds_.push_back(progress.second);
  seconds_.back().delivery = {};  // the page shows percentiles alone
  if (seconds_.size() > kSecondsMax) seconds_.erase(seconds_.begin());
}

void LiveServer::run() {
  std::array<io::Ready, io::Poller::kBatchMax> events;
  while (!over_) {
    const std::size_t count = poller_.wait(events, std::nullopt, clock_.now());
    for (std::size_t i = 0; i < count; ++i) {
      if (events[i].token == kWakeupToken) {
        wakeup_.answer();
      } else if (events[i].token == kListenerToken) {
        accept_all();
      } else {
        serve(events[i].token, events[i]);
      }
    }
  }
}

void LiveServer::accept_all() {
  for (;;) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.get() < 0) return;
    // The oldest makes room: it asked for nothing, or does not take its answer.
    if (clients_.size() >= kClientsMax) clients_.erase(clients_.begin());
    const std::uint64_t token = next_token_++;
    if (!poller_.watch(socket.get(), token, io::Interest::read)) continue;
    clients_[token].socket = std::move(socket);
  }
}

void LiveServer::serve(std::uint64_t token, const io::Ready& ready) {
  const auto found = clients_.find(token);
  if (found == clients_.end()) return;
  Client& client = found->second;
  bool stays = true;
  if (ready.readable && client.answer.empty()) stays = read_request(client);
  if (stays && !client.answer.empty()) stays = send_answer(client);
  if (!stays) {
    clients_.erase(found);
  } else if (!client.answer.empty()) {
    (void)poller_.change(client.socket.get(), token, io::Interest::write);
  }
}

// False: the connection has ended.
bool LiveServer::read_request(Client& client) {
  std::array<char, 4096> buffer;
  const ssize_t n = ::read(client.socket.get(), buffer.data(), buffer.size());
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
  switch (client.parser.receive(bytes)) {
    case http1::HeadStatus::need_more:
      return true;
    case http1::HeadStatus::complete:
      client.answer = answer_to(client.parser.head());
      return true;
    case http1::HeadStatus::bad:
      client.answer = response("400 Bad Request", "text/plain", client.parser.refusal_text());
      return true;
  }
  return false;
}

// False: sent, or not to be sent.
bool LiveServer::send_answer(Client& client) {
  while (client.sent < client.answer.size()) {
    const ssize_t n = ::send(client.socket.get(), client.answer.data() + client.sent,
                             client.answer.size() - client.sent, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    client.sent += static_cast<std::size_t>(n);
  }
  return false;
}

std::string LiveServer::answer_to(const http1::RequestHead& head) {
  if (head.method != "GET") return response("405 Method Not Allowed", "text/plain", "only GET\n");
  if (head.path == "/") return response("200 OK", "text/html; charset=utf-8", kLivePage);
  if (head.path == "/live.json") return response("200 OK", "application/json", live_json());
  if (head.path == "/metrics") {
    return response("200 OK", "text/plain; version=0.0.4; charset=utf-8", metrics());
  }
  return response("404 Not Found", "text/plain", "there are /, /live.json and /metrics\n");
}

std::string LiveServer::live_json() {
  const std::lock_guard lock(mutex_);
  nlohmann::ordered_json seconds = nlohmann::ordered_json::array();
  for (const SecondSample& s : seconds_) {
    seconds.push_back({s.at_s, s.connections, s.offered, s.sent, s.received, s.p50_us / 1'000,
                       s.p95_us / 1'000, s.max_us / 1'000, s.late_max_us / 1'000});
  }
  const nlohmann::ordered_json out = {
      {"scenario", scenario_},
      {"phase", now_.phase},
      {"elapsed_s", now_.elapsed_s},
      {"phase_left_s", now_.phase_left_s},
      {"asked", now_.asked},
      {"gave_up", now_.gave_up},
      {"columns",
       {"at_s", "connections", "offered", "achieved", "received", "p50", "p95", "max", "late_max"}},
      {"seconds", std::move(seconds)}};
  return out.dump();
}

std::string LiveServer::metrics() {
  const std::lock_guard lock(mutex_);
  LiveFigures live;
  live.scenario = scenario_;
  live.phase = now_.phase;
  live.elapsed_s = now_.elapsed_s;
  live.asked = now_.asked;
  live.gave_up = now_.gave_up;
  live.offered = totals_.offered;
  live.sent = totals_.sent;
  live.received = totals_.received;
  live.second = now_.second;
  return prometheus_live(live);
}

}  // namespace rt::rtbench
