// The flags of `rtctl subscribe`, and what they mean.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/http_flags.h"
#include "rtctl/event_format.h"

namespace rt::rtctl {

struct SubscribeFlags {
  std::string source;  // a URL, or the word "runs"
  std::string url;     // of the server, for "runs"
  std::string run_id;
  std::string env_id;
  std::vector<std::string> tags;
  std::string since;
  std::string last_event_id;
  std::string format = "text";
  bool data_only = false;
  bool raw = false;
  bool json = false;
  bool parse_json = false;
  bool latency = false;
  std::vector<std::string> events;
  std::string records = "events";
  std::string output;
  std::string colour = "auto";
  bool quiet = false;
  std::string count;
  std::string expect;
  std::string timeout;
  std::string wait;
  bool no_reconnect = false;
  std::string max_retries;
  std::string heartbeat_timeout = "45s";
  bool strict = false;
  std::string max_event = "16MiB";
  cli::HttpFlags http;
};

void declare(CLI::App* verb, SubscribeFlags& flags);

// All fail with Code::usage on flags that make no sense (together).
// server: RT_URL, or empty.
Result<std::string> source_url(const SubscribeFlags& flags, const std::string& server,
                               WallTime now);
Result<std::string> resume_id(const SubscribeFlags& flags);
Result<EventFormat> event_format(const SubscribeFlags& flags);
Result<bool> shows_all_records(const SubscribeFlags& flags);

}  // namespace rt::rtctl
