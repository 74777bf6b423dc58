#include "proto/sse_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/units.h"
#include "proto/http1_head.h"
#include "proto/http_date.h"
#include "proto/sse_writer.h"

namespace rt::sse {
namespace {

// A server that says `retry: 0` and then fails would be asked without pause.
constexpr Duration kFailingBaseMin = std::chrono::milliseconds(100);
constexpr std::uint32_t kDoublingsMax = 20;  // beyond any backoff_max, below any overflow

}  // namespace

SessionOptions SessionOptions::browser() {
  SessionOptions options;
  options.strict = true;
  options.retry_base = std::chrono::seconds(3);  // as Chromium
  options.heartbeat_timeout = Duration::zero();
  return options;
}

Result<Session> Session::create(SessionOptions options, Random random) {
  for (const HeaderLine& line : options.headers) {
    const bool good_name =
        !line.name.empty() && line.name.find_first_of(": \t") == std::string::npos;
    if (!good_name || !is_field_safe(line.name) || !is_field_safe(line.value)) {
      return fail(Code::usage,
                  fmt::format("cannot send header \"{}\": malformed name or value", line.name),
                  "write it as \"Name: value\" on one line");
    }
  }
  // A Last-Event-ID among the headers is where to begin, not something to repeat for ever.
  std::erase_if(options.headers, [&](HeaderLine& line) {
    if (!equal_ignoring_case(line.name, "Last-Event-ID")) return false;
    if (options.last_event_id.empty()) options.last_event_id = std::move(line.value);
    return true;
  });
  if (!is_field_safe(options.last_event_id)) {
    return fail(Code::usage, "cannot resume: the event id contains a line break or NUL");
  }
  return Session(std::move(options), random);
}

Session::Session(SessionOptions options, Random random)
    : options_(std::move(options)),
      random_(random),
      parser_(options_.parser),
      retry_base_(options_.retry_base) {
  parser_.set_last_event_id(options_.last_event_id);
}

Directive Session::start(Instant now) {
  if (phase_ == Phase::ended) return Directive::end;
  phase_ = Phase::connecting;
  ++counters_.attempts;
  touch(now);
  return Directive::connect;
}

std::vector<HeaderLine> Session::request_headers() const {
  const auto is_overridden = [&](std::string_view name) {
    return std::any_of(options_.headers.begin(), options_.headers.end(),
                       [&](const HeaderLine& own) { return equal_ignoring_case(own.name, name); });
  };
  std::vector<HeaderLine> lines;
  if (!is_overridden("Accept")) lines.push_back({"Accept", "text/event-stream"});
  if (!is_overridden("Cache-Control")) lines.push_back({"Cache-Control", "no-cache"});
  if (!last_event_id().empty()) lines.push_back({"Last-Event-ID", std::string(last_event_id())});
  lines.insert(lines.end(), options_.headers.begin(), options_.headers.end());
  return lines;
}

Directive Session::on_response(const Response& response, Instant now, WallTime wall) {
  if (phase_ != Phase::connecting) return phase_ == Phase::ended ? Directive::end : Directive::wait;
  if (response.status == 200 && http1::is_event_stream(response.content_type)) {
    phase_ = Phase::streaming;
    stream_began_ = now;
    ++counters_.streams;
    parser_.reconnected();
    touch(now);
    return Directive::read;
  }
  if (!is_retried(response.status)) return refuse(response);
  const auto asked = parse_retry_after(response.retry_after, wall);
  return retry(fmt::format("the server answered {}", response.status),
               asked.value_or(Duration::zero()), now);
}

bool Session::is_retried(int status) const {
  return !options_.strict && (status == 408 || status == 429 || (status >= 500 && status <= 599));
}

Directive Session::refuse(const Response& response) {
  const int status = response.status;
  if (status == 200) {
    return end({Code::refused,
                fmt::format("cannot subscribe: the content type is \"{}\", not text/event-stream",
                            response.content_type),
                "check that the URL names an event stream"});
  }
  if (status == 204) {
    return end({Code::refused, "cannot subscribe: the server says there is nothing to follow (204)",
                "the stream has ended or does not exist; subscribe again later"});
  }
  std::string hint;
  if (status == 401 || status == 403) hint = "check the token and what it is allowed to read";
  if (status == 404 || status == 410) hint = "check the URL";
  if (status >= 300 && status <= 399) hint = "the redirect has no usable Location";
  return end(
      {Code::refused, fmt::format("cannot subscribe: the server answered {}", status), hint});
}

Directive Session::on_disconnect(std::string_view why, Instant now) {
  if (phase_ != Phase::connecting && phase_ != Phase::streaming) {
    return phase_ == Phase::ended ? Directive::end : Directive::wait;
  }
  if (parser_.finish()) ++counters_.truncated;
  // A quiet stream that a proxy cuts now and then is not a failing one.
  if (phase_ == Phase::streaming && now - stream_began_ >= options_.backoff_max) failures_ = 0;
  return retry(std::string(why), Duration::zero(), now);
}

Directive Session::on_deadline(Instant now) {
  if (phase_ == Phase::ended) return Directive::end;
  const bool due = deadline_ && *deadline_ <= now;
  switch (phase_) {
    case Phase::waiting:
      return due ? start(now) : Directive::wait;
    case Phase::connecting:
    case Phase::streaming:
      if (!due) return Directive::read;
      ++counters_.heartbeats_lost;
      return on_disconnect(
          fmt::format("nothing received for {}", format_duration(options_.heartbeat_timeout)), now);
    case Phase::idle:
    case Phase::ended:
      break;
  }
  return Directive::wait;
}

std::optional<Instant> Session::next_deadline() const {
  return deadline_;
}

Directive Session::retry(std::string why, Duration wait_min, Instant now) {
  last_failure_ = std::move(why);
  ++failures_;
  if (!options_.reconnect) {
    return end({Code::unreachable, fmt::format("the stream ended: {}", last_failure_), ""});
  }
  if (options_.retries_max && failures_ > *options_.retries_max) {
    return end({Code::unreachable,
                failures_ == 1
                    ? fmt::format("cannot subscribe: {}", last_failure_)
                    : fmt::format("cannot subscribe: {} attempts failed, the last because {}",
                                  failures_, last_failure_),
                "check that the server is up, or allow more retries"});
  }
  phase_ = Phase::waiting;
  deadline_ = now + wait_min + next_wait();
  return Directive::wait;
}

// Full jitter: uniform between nothing and the exponential bound, so that subscribers that lost the
// same server do not come back together. The first wait after progress has the plain base as bound.
Duration Session::next_wait() {
  if (options_.strict) return retry_base_;
  const Duration base = failures_ > 1 ? std::max(retry_base_, kFailingBaseMin) : retry_base_;
  // The server's own wish may exceed our maximum; doubling does not go beyond either.
  const Duration bound_max = std::max(base, options_.backoff_max);
  Duration bound = base;
  for (std::uint32_t i = 1; i < std::min(failures_, kDoublingsMax) && bound < bound_max; ++i)
    bound *= 2;
  bound = std::min(bound, bound_max);
  return Duration(
      static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(bound.count()) + 1)));
}

void Session::touch(Instant now) {
  deadline_.reset();
  if (options_.heartbeat_timeout > Duration::zero()) deadline_ = now + options_.heartbeat_timeout;
}

Directive Session::end(Error reason) {
  phase_ = Phase::ended;
  deadline_.reset();
  end_reason_ = std::move(reason);
  return Directive::end;
}

}  // namespace rt::sse
