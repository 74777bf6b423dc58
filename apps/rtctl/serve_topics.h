// `rtctl serve`: the flags of the topics surface, and what carries its messages between instances.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "rtctl/serve_surface.h"

namespace rt::rtctl {

struct TopicsFlags {
  std::string base_path = "/topics";
  std::string publish_token_file;
  std::string listen_token_file;
  std::string notify_bytes_max = "7900B";
  std::string keepalive = "15s";
  std::uint32_t shards = 8;
};

void declare_topics(CLI::App* verb, TopicsFlags& flags);

// Tokens come from files, or from RT_PUBLISH_TOKEN and RT_LISTEN_TOKEN. Without a database messages
// stay in the server.
Result<ServedSurface> serve_topics(const TopicsFlags& flags, const ServeContext& context);

}  // namespace rt::rtctl
