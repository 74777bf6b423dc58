#include "pipe/http_producer.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <deque>
#include <optional>

#include "base/text.h"
#include "proto/chunked.h"
#include "proto/http1_response.h"

namespace rt {
namespace {

// A server that has not answered by then will not: the connection is given up.
constexpr Duration kAnswerTimeout = std::chrono::seconds(30);
// Between two attempts to connect to a server that refuses.
constexpr Duration kRest = std::chrono::milliseconds(100);
// A request is sent again until so long after it was first tried: a server that restarts is back by
// then, and one that is not stays away.
constexpr Duration kRetryFor = std::chrono::seconds(30);

}  // namespace

struct HttpProducer::Lane {
  struct Request {
    std::uint64_t ticket = 0;
    std::string text;
    std::optional<Instant> tried_at;  // first
    std::uint32_t sends = 0;          // attempts in which any of it went out
    std::uint32_t retries() const { return sends > 1 ? sends - 1 : 0; }
  };
  std::deque<Request> queue;  // the front is under way once `busy`; bounded by the publisher
  Fd socket;
  std::size_t written = 0;  // of the front
  bool connecting = false;
  bool busy = false;
  Instant asked_at{};
  Instant not_before{};
  http1::ResponseParser parser;
  http1::ChunkedDecoder chunked;
  bool has_head = false;
  int status = 0;
  bool keep_alive = false;
  http1::BodyFraming framing = http1::BodyFraming::none;
  std::uint64_t body_left = 0;

  bool wants_write() const { return connecting || (busy && written < queue.front().text.size()); }
};

Result<std::unique_ptr<HttpProducer>> HttpProducer::open(HttpProducerOptions options,
                                                         const Clock& clock) {
  const auto found = RT_TRY(io::resolve(options.host, options.port));
  if (found.empty()) {
    return fail(Code::unreachable, fmt::format("cannot resolve \"{}\"", options.host));
  }
  const Fd probe = RT_TRY(io::connect_to(found.front(), nullptr));
  pollfd writable{probe.get(), POLLOUT, 0};
  const std::string attempt = fmt::format("cannot publish to {}", found.front().text());
  if (::poll(&writable, 1, 5'000) == 0) return fail(Code::unreachable, attempt + ": no answer");
  if (const int error = io::connect_error(probe.get()); error != 0) {
    return fail(os_error(attempt, error, Code::unreachable));
  }
  return std::unique_ptr<HttpProducer>(new HttpProducer(std::move(options), found.front(), clock));
}

HttpProducer::HttpProducer(HttpProducerOptions options, io::Address address, const Clock& clock)
    : options_(std::move(options)), address_(address), clock_(clock) {
  for (unsigned i = 0; i < std::max(1U, options_.connections); ++i) {
    lanes_.push_back(std::make_unique<Lane>());
  }
}

HttpProducer::~HttpProducer() = default;

Result<void> HttpProducer::prepare(std::uint32_t,
                                   const std::function<std::string(std::uint32_t)>& name_of,
                                   std::string_view) {
  name_of_ = name_of;
  return {};
}

void HttpProducer::note_failure(const std::string& text) {
  if (first_failure_.empty()) first_failure_ = text;
}

void HttpProducer::send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) {
  const std::string name = name_of_(topic);
  scratch_.clear();
  options_.body.append(scratch_, name, payload);
  std::string text = "POST ";
  options_.path.append(text, name, payload);
  text += " HTTP/1.1\r\nHost: ";
  text += options_.authority;
  text += "\r\nContent-Type: application/json\r\n";
  for (const std::string& header : options_.headers) text += header + "\r\n";
  if (!options_.key_prefix.empty()) {
    text += "Idempotency-Key: ";
    text += options_.key_prefix;
    append_decimal(text, ticket);
    text += "\r\n";
  }
  text += "Content-Length: ";
  append_decimal(text, scratch_.size());
  text += "\r\n\r\n";
  text += scratch_;
  Lane& lane = *lanes_[topic % lanes_.size()];
  lane.queue.push_back({ticket, std::move(text), std::nullopt, 0});
}

// The next request of an idle lane gets under way.
void HttpProducer::begin(Lane& lane) {
  if (lane.busy || lane.queue.empty()) return;
  const Instant now = clock_.now();
  if (now < lane.not_before) return;
  lane.busy = true;
  lane.written = 0;
  lane.has_head = false;
  lane.parser.reset();
  lane.chunked.reset();
  lane.asked_at = now;
  Lane::Request& request = lane.queue.front();
  if (!request.tried_at) request.tried_at = now;
  if (lane.socket) return;
  Result<Fd> socket = io::connect_to(address_, nullptr);
  if (!socket) {
    note_failure(socket.error().text);
    return;  // without a socket: lost at the next turn
  }
  lane.socket = std::move(*socket);
  io::set_no_delay(lane.socket.get());
  lane.connecting = true;
}

Result<void> HttpProducer::turn(Instant until, std::vector<Answer>& answers) {
  std::vector<pollfd> waits;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    begin(*lane);
    if (lane->busy && !lane->connecting) write(*lane, answers);
    const auto events = static_cast<short>(POLLIN | (lane->wants_write() ? POLLOUT : 0));
    waits.push_back({lane->socket.get(), events, 0});  // -1 is skipped by the kernel
  }
  const timespec timeout = time_left(answers.empty() ? until : clock_.now(), clock_.now());
  if (::ppoll(waits.data(), waits.size(), &timeout, nullptr) < 0 && errno != EINTR) {
    return fail(os_error("cannot wait for the server", errno));
  }
  const Instant now = clock_.now();
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = *lanes_[i];
    if (lane.busy && !lane.socket) {
      lost(lane, "no connection", answers);
    } else if (waits[i].revents != 0) {
      advance(lane, waits[i].revents, answers);
    } else if (lane.busy && now - lane.asked_at > kAnswerTimeout) {
      lost(lane, "no answer in 30 s", answers);
    }
    begin(lane);
    if (lane.busy && !lane.connecting && lane.socket) write(lane, answers);
  }
  return {};
}

void HttpProducer::advance(Lane& lane, short ready, std::vector<Answer>& answers) {
  if (lane.connecting) {
    if (const int error = io::connect_error(lane.socket.get()); error != 0) {
      lost(lane, os_error("cannot connect", error).text, answers);
      return;
    }
    if ((ready & POLLOUT) == 0) return;
    lane.connecting = false;
  }
  if ((ready & ~POLLOUT) != 0) read(lane, answers);
}

void HttpProducer::write(Lane& lane, std::vector<Answer>& answers) {
  Lane::Request& request = lane.queue.front();
  const std::string& text = request.text;
  while (lane.written < text.size()) {
    const ssize_t n = ::send(lane.socket.get(), text.data() + lane.written,
                             text.size() - lane.written, MSG_NOSIGNAL);
    if (n >= 0) {
      if (lane.written == 0) ++request.sends;
      lane.written += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      lost(lane, os_error("cannot send", errno).text, answers);
      return;
    }
  }
}

void HttpProducer::read(Lane& lane, std::vector<Answer>& answers) {
  std::array<char, 16 * 1024> bytes;
  const ssize_t n = ::recv(lane.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n > 0) {
    if (!take(lane, {bytes.data(), static_cast<std::size_t>(n)}, answers)) {
      lost(lane, "the answer is not HTTP", answers);
    }
    return;
  }
  if (lane.busy && lane.has_head && lane.framing == http1::BodyFraming::until_close) {
    answered(lane, answers);
  } else {
    lost(lane, n == 0 ? "the server closed the connection" : os_error("receive", errno).text,
         answers);
  }
}

// False: the bytes make no sense.
bool HttpProducer::take(Lane& lane, std::string_view bytes, std::vector<Answer>& answers) {
  if (!lane.busy) return false;  // an answer to nothing
  if (!lane.has_head) {
    switch (lane.parser.receive(bytes)) {
      case http1::HeadStatus::need_more:
        return true;
      case http1::HeadStatus::bad:
        return false;
      case http1::HeadStatus::complete:
        break;
    }
    const http1::ResponseHead& head = lane.parser.head();
    lane.has_head = true;
    lane.status = head.status;
    lane.keep_alive = head.keep_alive;
    lane.framing = head.framing;
    lane.body_left = head.content_length;
  }
  switch (lane.framing) {
    case http1::BodyFraming::none:
      answered(lane, answers);
      return true;
    case http1::BodyFraming::length:
      lane.body_left -= std::min<std::uint64_t>(lane.body_left, bytes.size());
      if (lane.body_left == 0) answered(lane, answers);
      return true;
    case http1::BodyFraming::until_close:
      return true;
    case http1::BodyFraming::chunked:
      break;
  }
  for (std::string_view payload;;) {
    switch (lane.chunked.next(bytes, payload)) {
      case http1::ChunkedDecoder::Status::payload:
        continue;
      case http1::ChunkedDecoder::Status::need_more:
        return true;
      case http1::ChunkedDecoder::Status::done:
        answered(lane, answers);
        return true;
      case http1::ChunkedDecoder::Status::bad:
        return false;
    }
  }
}

void HttpProducer::answered(Lane& lane, std::vector<Answer>& answers) {
  const bool accepted = lane.status >= 200 && lane.status < 300;
  if (!accepted) note_failure(fmt::format("answered {}", lane.status));
  const Lane::Request& request = lane.queue.front();
  answers.push_back({request.ticket, clock_.now(), accepted, request.retries()});
  lane.queue.pop_front();
  lane.busy = false;
  if (!lane.keep_alive || lane.framing == http1::BodyFraming::until_close) lane.socket.close();
}

void HttpProducer::lost(Lane& lane, const std::string& why, std::vector<Answer>& answers) {
  lane.socket.close();
  lane.connecting = false;
  if (!lane.busy) return;  // closed while idle, as servers do
  lane.busy = false;
  lane.not_before = clock_.now() + kRest;
  if (is_sent_again(lane)) return;
  note_failure(why);
  const Lane::Request& request = lane.queue.front();
  answers.push_back({request.ticket, clock_.now(), false, request.retries()});
  lane.queue.pop_front();
}

bool HttpProducer::is_sent_again(const Lane& lane) const {
  if (options_.key_prefix.empty()) return false;
  return clock_.now() - *lane.queue.front().tried_at < kRetryFor;
}

}  // namespace rt
