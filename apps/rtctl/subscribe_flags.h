// The flags of `rtctl subscribe`, and what they mean.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rtctl/event_format.h"
#include "rtctl/source_flags.h"

namespace rt::rtctl {

struct SubscribeFlags {
  SourceFlags source;
  // output
  std::string format;
  bool data_only = false;
  bool raw = false;
  bool json = false;
  std::string line_template;
  std::string dump;
  bool parse_json = false;
  bool latency = false;
  bool delta = false;
  std::vector<std::string> events;
  std::vector<std::string> filters;
  std::string records = "events";
  std::string output;
  bool buffered = false;
  std::string state;
  std::string colour = "auto";
  bool quiet = false;
  // end
  std::string count;
  std::string until;
  bool exit_at_end = false;
  std::string expect;
  std::string timeout;
  std::string wait;
};

void declare(CLI::App* verb, SubscribeFlags& flags);

// All fail with Code::usage on flags that make no sense (together).
Result<EventFormat> event_format(const SubscribeFlags& flags);
Result<bool> shows_all_records(const SubscribeFlags& flags);

// `--until`: the event with this id is the last one shown, or the last one before a time.
struct Until {
  std::string id;
  std::optional<WallTime> time;
  bool is_set() const { return time || !id.empty(); }
};
// "15m" counts from now on.
Result<Until> parse_until(const std::string& text, WallTime now);

}  // namespace rt::rtctl
