// `rtctl serve`: what HTTP requests may be like, who may read the answers, and what is written down
// of them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/server.h"

namespace rt::rtctl {

struct HttpServeFlags {
  std::string request_timeout = "30s";
  std::string head_max = "16KiB";
  std::string body_max = "1MiB";
  std::vector<std::string> cors_origins;
  std::string access_log;
};

void declare_http(CLI::App* verb, HttpServeFlags& flags);

// Code::usage if one of them cannot be. log_format: text or json.
Result<void> set_http(server::ServerOptions& options, const HttpServeFlags& flags,
                      std::string_view log_format);

}  // namespace rt::rtctl
