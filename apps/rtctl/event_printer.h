// Prints a subscription as it comes: events to the output, talk to standard error, and counts.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "cli/stop_watch.h"
#include "http/sse_client.h"
#include "rtctl/event_format.h"

namespace rt::rtctl {

struct PrinterOptions {
  FormatOptions format;
  std::optional<std::uint64_t> count_max;  // stop after that many printed events
  std::set<std::string> events;            // only these; empty: all
  bool all_records = false;                // ndjson: open, retry, heartbeat, close, summary too
  bool latency = false;                    // show how old an event is by the time in its data
  bool quiet = false;                      // no talk on standard error
  std::string tool = "rtctl";
};

class EventPrinter final : public SseHandler {
 public:
  // output: written to, not owned; a pipe that nobody reads ends the subscription.
  EventPrinter(PrinterOptions options, int output, cli::StopWatch& watch);

  bool on_event(const sse::EventView& event) override;
  void on_comment(std::string_view text) override;
  void on_open(bool again) override;
  void on_retry(const SseRetry& retry) override;
  void on_gap(std::string_view reason) override;
  void on_drained() override { flush(); }

  // The last words of a subscription that ended: error record, close record, summary record.
  void finish(const Error* error);
  Totals totals() const;
  bool reached_count() const { return options_.count_max && totals_.events >= *options_.count_max; }
  bool reader_gone() const { return reader_gone_; }
  // Why the output could not be written, other than for want of a reader.
  const std::optional<Error>& write_error() const { return write_error_; }

 private:
  void record(std::string_view type, std::string_view fields);
  void talk(const std::string& line) const;
  bool flush();

  PrinterOptions options_;
  int output_;
  cli::StopWatch& watch_;
  SystemClock clock_;
  Instant started_;
  std::string pending_;  // formatted, not yet written
  std::string shown_id_;
  Totals totals_;
  bool reader_gone_ = false;
  std::optional<Error> write_error_;
};

}  // namespace rt::rtctl
