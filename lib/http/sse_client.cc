#include "http/sse_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/text.h"
#include "http/stream_transfer.h"
#include "proto/sse_session.h"

namespace rt {
namespace {

using sse::Directive;

// How much of an answer that refuses us is shown, and how long we wait for it.
constexpr std::size_t kReasonBytesMax = 200;
constexpr Duration kReasonWaitMax = std::chrono::seconds(1);

// Text from a server, fit for one line on a terminal.
std::string one_line(std::string_view text) {
  std::string line;
  append_utf8_repaired(line, trim(text.substr(0, kReasonBytesMax)));
  const std::size_t end = line.find_first_of("\r\n");
  if (end != std::string::npos) line.resize(end);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return line;
}

sse::SessionOptions session_options(const SseOptions& options) {
  sse::SessionOptions session =
      options.strict ? sse::SessionOptions::browser() : sse::SessionOptions();
  session.reconnect = options.reconnect;
  session.retries_max = options.retries_max;
  if (!options.strict) session.heartbeat_timeout = options.heartbeat_timeout;
  session.last_event_id = options.last_event_id;
  session.parser.event_bytes_max = options.event_bytes_max;
  return session;
}

// A Last-Event-ID among the headers says where to begin; the session repeats what is current.
void take_last_event_id(SseOptions& options) {
  constexpr std::string_view kName = "Last-Event-ID:";
  std::erase_if(options.http.headers, [&](const std::string& line) {
    if (!equal_ignoring_case(line.substr(0, kName.size()), kName)) return false;
    if (options.last_event_id.empty()) {
      options.last_event_id = trim(std::string_view(line).substr(kName.size()));
    }
    return true;
  });
}

// One subscribe() call: drives the session with what the transfer reports.
class Subscription {
 public:
  Subscription(const std::string& url, SseOptions options, sse::Session session,
               SseHandler& handler)
      : url_(url),
        shown_url_(without_credentials(url)),
        options_(std::move(options)),
        session_(std::move(session)),
        handler_(handler) {}

  Result<SseEnd> run(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] { transfer_.wake(); });
    directive_ = session_.start(clock_.now());
    for (;;) {
      if (directive_ == Directive::connect) RT_CHECKED(connect());
      if (directive_ == Directive::end) return refused(stop);
      const auto end = transfer_.perform();
      if (end) RT_CHECKED(take_end(*end));
      if (std::exchange(delivered_, false)) handler_.on_drained();
      if (handler_stopped_ || stop.stop_requested()) return SseEnd::stopped;
      if (end && end->complete && !options_.reconnect && streaming_) return SseEnd::ended;
      if (directive_ == Directive::wait && !told_) tell_retry();
      if (directive_ == Directive::read || directive_ == Directive::wait) wait();
    }
  }

 private:
  Result<void> connect() {
    std::vector<std::string> lines;
    for (const sse::HeaderLine& line : session_.request_headers()) {
      lines.push_back(line.name + ": " + line.value);
    }
    http::StreamTransfer::Taker taker;
    taker.head = [this](const http::ResponseHead& head) { return take_head(head); };
    taker.bytes = [this](std::string_view bytes) { return take_bytes(bytes); };
    streaming_ = false;
    told_ = false;
    directive_ = Directive::read;
    auto opened = transfer_.open(url_, options_.http, lines, std::move(taker));
    if (!opened) return fail(std::move(opened).error().context(attempt()));
    return {};
  }

  bool take_head(const http::ResponseHead& head) {
    const sse::Response response{static_cast<int>(head.status), head.content_type,
                                 head.retry_after};
    directive_ = session_.on_response(response, clock_.now(), clock_.wall());
    if (directive_ == Directive::end) return head.status >= 400;  // the body may say why
    if (directive_ != Directive::read) return false;
    streaming_ = true;
    handler_.on_open(opened_);
    if (opened_ && session_.last_event_id().empty()) {
      handler_.on_gap("the stream has no event ids to resume from");
    }
    opened_ = true;
    delivered_ = true;
    return true;
  }

  bool take_bytes(std::string_view bytes) {
    if (directive_ == Directive::end) {
      reason_.append(bytes.substr(0, kReasonBytesMax));
      return reason_.size() < kReasonBytesMax;
    }
    struct Tap {
      SseHandler& handler;
      bool on_event(const sse::EventView& event) { return handler.on_event(event); }
      void on_comment(std::string_view text) { handler.on_comment(text); }
      void on_retry(std::chrono::milliseconds) {}
    };
    delivered_ = true;
    sse::Received received;
    directive_ = session_.receive(bytes, clock_.now(), Tap{handler_}, received);
    handler_stopped_ = received.status == sse::ReceiveStatus::stopped;
    return directive_ == Directive::read && !handler_stopped_;
  }

  Result<void> take_end(const http::StreamTransfer::End& end) {
    if (end.called_off || directive_ != Directive::read) return {};
    if (!end.complete && !end.failure.mendable) {
      return fail(Error(end.failure.error).context(attempt()));
    }
    directive_ = session_.on_disconnect(
        end.complete ? "the server ended the stream" : end.failure.error.text, clock_.now());
    return {};
  }

  void wait() {
    const auto deadline = session_.next_deadline();
    const Duration left = deadline ? *deadline - clock_.now() : Duration::max();
    if (left > Duration::zero()) transfer_.wait(left);
    if (!deadline || clock_.now() < *deadline) return;
    const Directive before = directive_;
    directive_ = session_.on_deadline(clock_.now());
    if (before == Directive::read && directive_ != Directive::read) transfer_.close();
  }

  void tell_retry() {
    told_ = true;
    const auto deadline = session_.next_deadline();
    const Duration delay = deadline ? *deadline - clock_.now() : Duration::zero();
    handler_.on_retry({Error{Code::unreachable, session_.last_failure(), {}},
                       std::max(delay, Duration::zero()), session_.failures()});
    handler_.on_drained();
  }

  // The session has ended for good: why, with what the server says about it.
  tl::unexpected<Error> refused(const std::stop_token& stop) {
    const Instant give_up = clock_.now() + kReasonWaitMax;
    while (!stop.stop_requested() && !transfer_.perform() && transfer_.is_open() &&
           clock_.now() < give_up) {
      transfer_.wait(give_up - clock_.now());
    }
    Error error = session_.end_reason();
    constexpr std::string_view kPlain = "cannot subscribe: ";
    if (!options_.reconnect && error.code == Code::unreachable) {
      error.text = session_.last_failure();
      error = std::move(error).context(opened_ ? "lost the stream of " + shown_url_ : attempt());
    } else if (error.text.rfind(kPlain, 0) == 0) {
      error.text = attempt() + ": " + error.text.substr(kPlain.size());
    } else {
      error = std::move(error).context(attempt());
    }
    const std::string reason = one_line(reason_);
    if (!reason.empty() && reason.front() != '<') error.text += ": " + reason;  // HTML is no reason
    return fail(std::move(error));
  }

  std::string attempt() const { return "cannot subscribe to " + shown_url_; }

  const std::string& url_;
  std::string shown_url_;
  SseOptions options_;
  sse::Session session_;
  SseHandler& handler_;
  SystemClock clock_;
  http::StreamTransfer transfer_;
  Directive directive_ = Directive::connect;
  bool streaming_ = false;  // this connection has become a stream
  bool opened_ = false;     // some connection has
  bool told_ = false;       // the handler knows why we wait
  bool delivered_ = false;  // something since the last on_drained()
  bool handler_stopped_ = false;
  std::string reason_;  // head of the body of an answer that refuses us
};

class TakeFunction final : public SseHandler {
 public:
  explicit TakeFunction(const std::function<bool(const sse::EventView&)>& take) : take_(take) {}
  bool on_event(const sse::EventView& event) override { return take_(event); }

 private:
  const std::function<bool(const sse::EventView&)>& take_;
};

}  // namespace

Result<SseEnd> subscribe(const std::string& url, const SseOptions& options, SseHandler& handler,
                         std::stop_token stop) {
  SseOptions own = options;
  take_last_event_id(own);
  // Clients that start together must not wait alike: microseconds and the start of their clocks
  // differ between them.
  const SystemClock clock;
  const auto seed = static_cast<std::uint64_t>(unix_us(clock.wall()));
  const auto uptime = static_cast<std::uint64_t>(clock.now().time_since_epoch().count());
  sse::Session session =
      RT_TRY(sse::Session::create(session_options(own), Random::of(seed, "reconnect", uptime)));
  return Subscription(url, std::move(own), std::move(session), handler).run(stop);
}

Result<SseEnd> subscribe(const std::string& url, const SseOptions& options,
                         const std::function<bool(const sse::EventView&)>& take,
                         std::stop_token stop) {
  TakeFunction handler(take);
  return subscribe(url, options, handler, std::move(stop));
}

}  // namespace rt
