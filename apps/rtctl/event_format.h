// What `rtctl subscribe` prints for one event, one notice, one summary. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace rt::rtctl {

enum class EventFormat : std::uint8_t {
  text,    // for people
  ndjson,  // one record a line, {"v":1,"type":"event",...}
  csv,     // recv,topic,event,id,data (RFC 4180)
  raw,     // an event stream again: complete frames only
  data,    // the data alone, one line an event
  nul,     // the data alone, each ended by NUL: for xargs -0
  none,    // nothing: to count, or to wait
};

// Views into the caller's bytes.
struct ShownEvent {
  WallTime received{};
  std::string_view event;
  std::string_view id;  // the last event id at dispatch; empty: none
  std::string_view data;
  std::string_view topic;            // empty: the stream is but one
  std::optional<double> latency_ms;  // only if asked for and known
  std::optional<double> delta_ms;    // since the event printed before; only if asked for
  std::uint64_t connection = 0;      // which one it came on, from 0
  bool id_cleared = false;           // raw only: the event before had an id, this one has none
};

struct FormatOptions {
  EventFormat format = EventFormat::text;
  bool terminal = false;      // text only: pretty, folded, several lines an event
  bool colour = false;        // text only
  bool parse_json = false;    // ndjson only: `data` is the value itself where it is JSON
  std::size_t columns = 100;  // width of the terminal
};

// Everything up to and including the line end.
void append_event(std::string& out, const ShownEvent& event, const FormatOptions& options);

// The line in front of all events: of csv, the names of its columns; otherwise nothing.
std::string_view heading(EventFormat format);

// A record that is no event: gap, retry, close, error, open, heartbeat, summary. `fields` is the
// inside of a JSON object, or empty: "\"delay_ms\":120".
void append_record(std::string& out, std::string_view type, WallTime at, std::string_view fields);

// "\"name\":\"value\"" for append_record.
std::string text_field(std::string_view name, std::string_view value);

struct Totals {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;  // of data
  std::uint64_t reconnects = 0;
  std::uint64_t gaps = 0;
  Duration elapsed{};
};
// "12 events, 3.4 KiB, 2.4/s, 1 reconnect, 0 gaps in 5.02s"
std::string totals_line(const Totals& totals);

}  // namespace rt::rtctl
