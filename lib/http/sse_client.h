// A durable subscription to a server-sent event stream over HTTP, for programs and for rtctl.
//
//   rt::SseOptions options;
//   auto end = rt::subscribe(url, options, [](const rt::sse::EventView& event) {
//     std::cout << event.id << ' ' << event.data << '\n';
//     return true;  // false ends the subscription
//   });
//   if (!end) std::cerr << end.error().text << '\n';
//
// A lost connection is made anew by itself, with back-off, and resumes after the last event that
// was handed over (Last-Event-ID); an event that was cut off is never handed over. The rules are
// those of WHATWG HTML 9.2; what differs unless `strict` is set is written at the options.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "http/http_options.h"
#include "proto/sse_parser.h"

namespace rt {

struct SseOptions {
  HttpOptions http;
  std::string last_event_id;  // where to resume; empty: the server decides
  bool reconnect = true;
  // As a browser's EventSource: any answer but 200 with an event stream is final, waits do not
  // grow, silence is no failure. Otherwise 408, 429 and 5xx are tried again (Retry-After is
  // obeyed), waits grow with full jitter, and silence beyond heartbeat_timeout is a lost
  // connection.
  bool strict = false;
  // Failures in a row after which to give up; an event starts the count anew. nullopt: never.
  std::optional<std::uint32_t> retries_max;
  Duration heartbeat_timeout = std::chrono::seconds(45);  // three keepalives of 15 s; zero: none
  std::uint32_t event_bytes_max = sse::kEventBytesMax;
};

struct SseRetry {
  Error reason;                // why the connection ended
  Duration delay{};            // until the next attempt
  std::uint32_t failures = 0;  // in a row
};

// Called on the thread of subscribe(); none may throw. Views live until the call returns.
class SseHandler {
 public:
  virtual ~SseHandler() = default;
  // false ends the subscription; nothing is handed over after it.
  virtual bool on_event(const sse::EventView& event) = 0;
  virtual void on_comment(std::string_view text) { (void)text; }
  // The stream is open; `again`: after a reconnect.
  virtual void on_open(bool again) { (void)again; }
  virtual void on_retry(const SseRetry& retry) { (void)retry; }
  // Events may have been lost: the connection broke and there was no event id to resume from.
  virtual void on_gap(std::string_view reason) { (void)reason; }
  // All that has arrived was handed over; the next call may be long in coming: flush.
  virtual void on_drained() {}
};

enum class SseEnd : std::uint8_t {
  stopped,  // on request: the handler's or the stop token's
  ended,    // the server ended the stream in order, and `reconnect` is off
};

// Runs until the end. Errors: usage (URL, options), unreachable (retries spent, or lost with
// `reconnect` off), refused (status, content type, too large an event). One line each, with the
// phase, the URL without credentials, and the reason. Uses no CPU while nothing arrives.
Result<SseEnd> subscribe(const std::string& url, const SseOptions& options, SseHandler& handler,
                         std::stop_token stop = {});
Result<SseEnd> subscribe(const std::string& url, const SseOptions& options,
                         const std::function<bool(const sse::EventView&)>& take,
                         std::stop_token stop = {});

}  // namespace rt
