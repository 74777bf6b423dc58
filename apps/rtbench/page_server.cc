#include "rtbench/page_server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "io/socket.h"

namespace rt::rtbench {
namespace {

constexpr std::uint64_t kListenerToken = 0;
constexpr std::uint64_t kWakeupToken = 1;

std::string response(const Page& page) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "Content-Security-Policy: default-src 'none'; script-src 'unsafe-inline'; style-src "
      "'unsafe-inline'; connect-src 'self'\r\nX-Content-Type-Options: nosniff\r\n"
      "Connection: close\r\n\r\n{}",
      page.status, page.type, page.body.size(), page.body);
}

}  // namespace

Result<std::unique_ptr<PageServer>> PageServer::start(const std::string& address, Answer answer,
                                                      const Clock& clock) {
  const io::Address at = RT_TRY(io::parse_address(address));
  Fd listener = RT_TRY(io::listen_on(at, {}));
  const io::Address bound = RT_TRY(io::local_address(listener.get()));
  io::Poller poller = RT_TRY(io::Poller::create());
  io::Wakeup wakeup = RT_TRY(io::Wakeup::create());
  RT_CHECKED(poller.watch(listener.get(), kListenerToken, io::Interest::read));
  RT_CHECKED(poller.watch(wakeup.fd(), kWakeupToken, io::Interest::read));
  return std::unique_ptr<PageServer>(
      new PageServer(std::move(listener), std::move(poller), std::move(wakeup),
                     "http://" + bound.text() + "/", std::move(answer), clock));
}

PageServer::PageServer(Fd listener, io::Poller poller, io::Wakeup wakeup, std::string url,
                       Answer answer, const Clock& clock)
    : listener_(std::move(listener)),
      poller_(std::move(poller)),
      wakeup_(std::move(wakeup)),
      url_(std::move(url)),
      answer_(std::move(answer)),
      clock_(clock),
      thread_([this] { run(); }) {}

PageServer::~PageServer() {
  over_ = true;
  wakeup_.ring();
  thread_.join();
}

void PageServer::run() {
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

void PageServer::accept_all() {
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

void PageServer::serve(std::uint64_t token, const io::Ready& ready) {
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
bool PageServer::read_request(Client& client) {
  std::array<char, 4096> buffer;
  const ssize_t n = ::read(client.socket.get(), buffer.data(), buffer.size());
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
  switch (client.parser.receive(bytes)) {
    case http1::HeadStatus::need_more:
      return true;
    case http1::HeadStatus::complete:
      client.answer = response(client.parser.head().method == "GET"
                                   ? answer_(client.parser.head())
                                   : Page{"405 Method Not Allowed", "text/plain", "only GET\n"});
      return true;
    case http1::HeadStatus::bad:
      client.answer = response({"400 Bad Request", "text/plain", client.parser.refusal_text()});
      return true;
  }
  return false;
}

// False: sent, or not to be sent.
bool PageServer::send_answer(Client& client) {
  while (client.sent < client.answer.size()) {
    const ssize_t n = ::send(client.socket.get(), client.answer.data() + client.sent,
                             client.answer.size() - client.sent, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    client.sent += static_cast<std::size_t>(n);
  }
  return false;
}

}  // namespace rt::rtbench
