#include "load/null_server.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"

namespace rt {
namespace {

constexpr std::uint64_t kListenerToken = ~std::uint64_t{0};
constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\n";

}  // namespace

Result<std::unique_ptr<NullServer>> NullServer::open(const Clock& clock) {
  io::Poller poller = RT_TRY(io::Poller::create());
  const io::Address any = RT_TRY(io::parse_address("127.0.0.1:0"));
  Fd listener = RT_TRY(io::listen_on(any, {}));
  RT_CHECKED(poller.watch(listener.get(), kListenerToken, io::Interest::read));
  const std::uint16_t port = RT_TRY(io::local_address(listener.get())).port();
  return std::unique_ptr<NullServer>(
      new NullServer(clock, std::move(poller), std::move(listener), port));
}

NullServer::NullServer(const Clock& clock, io::Poller poller, Fd listener, std::uint16_t port)
    : clock_(clock), poller_(std::move(poller)), listener_(std::move(listener)), port_(port) {}

Result<void> NullServer::prepare(std::uint32_t topics,
                                 const std::function<std::string(std::uint32_t)>&,
                                 std::string_view) {
  subscribers_.resize(topics);
  return {};
}

void NullServer::send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) {
  frame_.assign("data: ").append(payload).append("\n\n");
  for (const std::size_t client : subscribers_[topic]) write(client, frame_);
  unanswered_.push_back(ticket);
}

Result<void> NullServer::turn(Instant until, std::vector<Answer>& answers) {
  if (waiting_ == 0 && !unanswered_.empty()) {
    const Instant now = clock_.now();
    until = now;  // there is something to tell
    for (const std::uint64_t ticket : unanswered_) answers.push_back({ticket, now, true});
    unanswered_.clear();
  }
  // To the nanosecond: what is measured is how well the schedule can be kept.
  const Duration left = std::max(until - clock_.now(), Duration::zero());
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec timeout{static_cast<time_t>(whole.count()),
                         static_cast<long>((left - whole).count())};
  pollfd wait{poller_.fd(), POLLIN, 0};
  if (::ppoll(&wait, 1, &timeout, nullptr) <= 0) return {};
  std::array<io::Ready, io::Poller::kBatchMax> ready;
  const Instant now = clock_.now();
  const std::size_t count = poller_.wait(ready, now, now);
  for (std::size_t i = 0; i < count; ++i) {
    if (ready[i].token == kListenerToken) {
      accept_all();
      continue;
    }
    const auto client = static_cast<std::size_t>(ready[i].token);
    if (ready[i].writable && !clients_[client].unsent.empty()) write_rest(client);
    if (ready[i].readable && clients_[client].socket) read(client);
  }
  return {};
}

void NullServer::accept_all() {
  for (;;) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return;
    if (!poller_.watch(socket.get(), clients_.size(), io::Interest::read)) continue;
    clients_.push_back({std::move(socket), 0, false, {}});
  }
}

// A request of the engine is small and comes in one piece: "GET /17 HTTP/1.1 ...".
void NullServer::read(std::size_t number) {
  Client& client = clients_[number];
  std::array<char, 2048> buffer;
  const ssize_t got = ::recv(client.socket.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(number);
  if (client.subscribed) return;
  std::string_view request(buffer.data(), static_cast<std::size_t>(got));
  request.remove_prefix(std::min<std::size_t>(request.find('/') + 1, request.size()));
  const auto topic = parse_decimal(request.substr(0, request.find(' ')));
  if (!topic || *topic >= subscribers_.size()) return drop(number);
  client.topic = static_cast<std::uint32_t>(*topic);
  client.subscribed = true;
  subscribers_[client.topic].push_back(number);
  write(number, kHead);
}

void NullServer::write(std::size_t number, std::string_view bytes) {
  Client& client = clients_[number];
  if (!client.unsent.empty()) {
    client.unsent.append(bytes);
    return;
  }
  const ssize_t sent =
      ::send(client.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  const std::size_t taken = sent < 0 ? 0 : static_cast<std::size_t>(sent);
  if (taken == bytes.size()) return;
  client.unsent.assign(bytes.substr(taken));
  ++waiting_;
  (void)poller_.change(client.socket.get(), number, io::Interest::read_write);
}

void NullServer::write_rest(std::size_t number) {
  Client& client = clients_[number];
  const ssize_t sent = ::send(client.socket.get(), client.unsent.data(), client.unsent.size(),
                              MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent <= 0) return;  // a lost peer shows when it is read
  client.unsent.erase(0, static_cast<std::size_t>(sent));
  if (!client.unsent.empty()) return;
  --waiting_;
  (void)poller_.change(client.socket.get(), number, io::Interest::read);
}

void NullServer::drop(std::size_t number) {
  Client& client = clients_[number];
  if (!client.unsent.empty()) --waiting_;
  client.unsent.clear();
  client.socket.close();
  if (!client.subscribed) return;
  std::vector<std::size_t>& all = subscribers_[client.topic];
  all.erase(std::remove(all.begin(), all.end(), number), all.end());
}

}  // namespace rt
