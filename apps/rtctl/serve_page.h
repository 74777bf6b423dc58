// `rtctl serve --ui`: the page at /, for people.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "io/socket.h"
#include "server/surface_parts.h"

namespace rt::rtctl {

struct PageFlags {
  bool shown = false;
  bool anywhere = false;
};

void declare_page(CLI::App* verb, PageFlags& flags);

// Whether the page may be shown on that address. Code::usage if not.
Result<void> check_page(const PageFlags& flags, const io::Address& listen);

server::SurfaceParts serve_page(const std::string& topics_path);

}  // namespace rt::rtctl
