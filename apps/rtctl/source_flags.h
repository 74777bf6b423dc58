// The flags that choose a source of events and where to begin in it; the same for every verb that
// follows one.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/http_flags.h"

namespace rt::rtctl {

struct SourceFlags {
  std::vector<std::string> words;  // a URL; or a source's name and what it needs
  std::string url;                 // of the server
  std::string dsn;
  std::string redis;
  // runs
  std::string run_id;
  std::string env_id;
  std::vector<std::string> tags;
  // wal
  std::string slot;
  std::string publication;
  std::vector<std::string> tables;
  bool snapshot = false;
  // redis
  bool stream = false;
  // where to begin
  std::string since;
  std::string last;
  std::string last_event_id;
  // connection
  bool no_reconnect = false;
  std::string max_retries;
  std::string heartbeat_timeout = "45s";
  bool strict = false;
  std::string max_event = "16MiB";
  cli::HttpFlags http;
};

// Which source, and where to begin.
void declare_sources(CLI::App* verb, SourceFlags& flags);
// How it is connected.
void declare_connection(CLI::App* verb, SourceFlags& flags);

}  // namespace rt::rtctl
