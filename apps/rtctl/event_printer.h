// Prints a subscription as it comes: chooses, formats and counts events; talk goes to standard
// error. Called on the thread of EventStream::run().
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "cli/stop_watch.h"
#include "rtctl/cursor_file.h"
#include "rtctl/event_filter.h"
#include "rtctl/event_format.h"
#include "rtctl/event_output.h"
#include "rtctl/event_stream.h"
#include "rtctl/event_template.h"
#include "rtctl/status_line.h"
#include "rtctl/subscribe_flags.h"

namespace rt::rtctl {

struct PrinterOptions {
  FormatOptions format;
  std::optional<EventTemplate> line_template;  // instead of format
  std::string dump_folder;                     // a file an event, besides
  std::set<std::string> events;                // only these; empty: all
  EventFilter filter;
  std::optional<std::uint64_t> count_max;  // stop after that many printed events
  std::optional<std::uint64_t> last_max;   // of the past, print only so many
  Until until;
  bool exit_at_end = false;
  bool all_records = false;  // ndjson: open, retry, heartbeat, close, summary too
  bool latency = false;      // show how old an event is
  bool delta = false;        // show the time since the event before
  bool buffered = false;     // flush when full, not when drained
  bool quiet = false;        // no talk on standard error
  bool status_line = false;
  std::string state_path;  // empty: no cursor is kept
  Cursor cursor;           // where the subscription begins
};

class EventPrinter final : public EventTaker {
 public:
  EventPrinter(PrinterOptions options, EventOutput output, cli::StopWatch& watch);

  bool on_event(const StreamEvent& event) override;
  void on_comment(std::string_view text) override;
  void on_open(bool again) override;
  void on_retry(const StreamRetry& retry) override;
  void on_gap(std::string_view reason) override;
  bool on_caught_up() override;
  void on_drained() override;

  // The last words of a subscription that ended: error, close and summary records.
  void finish(const Error* error);
  // Any thread.
  Totals totals() const;
  // The end that was asked for has come: the count is full, --until or the end of the past reached.
  bool completed() const { return completed_; }
  bool reader_gone() const { return output_.reader_gone(); }
  // Why every attempt failed, if all of them did.
  std::optional<std::string> never_connected() const;
  // Why output or state could not be written, other than for want of a reader.
  const std::optional<Error>& write_error() const;

 private:
  // Of the past, until it is known which events are its last.
  struct Held {
    std::string event, id, data, topic;
    std::optional<WallTime> written;
  };
  bool is_wanted(const StreamEvent& event) const;
  bool is_beyond(const StreamEvent& event) const;
  bool hold(const StreamEvent& event);
  bool print(const StreamEvent& event);
  void print_held();
  void record(std::string_view type, std::string_view fields);
  void talk(const std::string& line);
  bool flush();
  void save_cursor();

  PrinterOptions options_;
  EventOutput output_;
  cli::StopWatch& watch_;
  SystemClock clock_;
  StatusLine status_;
  Instant started_;
  std::deque<Held> held_;
  bool caught_up_ = false;
  bool completed_ = false;
  bool open_ = false;
  std::uint64_t connections_ = 0;
  std::string shown_id_;
  std::optional<Instant> printed_;  // when the last event was
  std::string saved_id_;            // in the state file
  std::string last_failure_;        // of an attempt to connect, as text to be shown
  std::string id_;                  // of the last event handled
  // Atomic: a snapshot is taken from another thread.
  struct Counts {
    std::atomic<std::uint64_t> events{0};
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::uint64_t> reconnects{0};
    std::atomic<std::uint64_t> gaps{0};
  };
  Counts counts_;
  std::optional<Error> state_error_;
};

}  // namespace rt::rtctl
