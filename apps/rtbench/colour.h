// Whether standard output gets colours: --color, NO_COLOR, FORCE_COLOR, TERM.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace rt::rtbench {

void add_colour_option(CLI::App* app, std::string& word);
bool wants_colour(const std::string& word);  // "always", "never" or "auto"

}  // namespace rt::rtbench
