// `--template '{recv} {topic} {/status}'`: a line of one's own for each event. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rtctl/event_format.h"

namespace rt::rtctl {

class EventTemplate {
 public:
  // Fields: recv (RFC 3339; also ts), id, event, topic, data, n (from 1), lat_ms, delta_ms, and
  // {/a/b}: what the data's JSON has there (texts without quotes, nothing if it has nothing).
  // {{ and }} are braces; \n \t \0 \\ as in C. Code::usage on an unknown field.
  static Result<EventTemplate> parse(std::string_view text);

  // Without a line end of its own. n: number of the event.
  void append(std::string& out, const ShownEvent& event, std::uint64_t n) const;
  // Whether lat_ms is asked for.
  bool needs_latency() const { return needs_latency_; }

 private:
  enum class Field : std::uint8_t {
    text,
    recv,
    id,
    event,
    topic,
    data,
    n,
    latency,
    delta,
    pointer
  };
  struct Part {
    Field field = Field::text;
    std::string text;  // literal text, or the pointer
  };
  static Result<Part> field_of(std::string_view name);

  std::vector<Part> parts_;
  bool needs_json_ = false;
  bool needs_latency_ = false;
};

}  // namespace rt::rtctl
