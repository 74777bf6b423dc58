// `rtctl serve --ui`: the page at /, for people.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "server/server.h"

namespace rt::rtctl {

struct PageFlags {
  bool shown = false;
  bool anywhere = false;
};

void declare_page(CLI::App* verb, PageFlags& flags);

// Whether a server with these options may show the page. Code::usage if not.
Result<void> check_page(const PageFlags& flags, const server::ServerOptions& options);

server::SurfaceParts serve_page(const std::string& topics_path);

}  // namespace rt::rtctl
