// The verbs of rtctl, one file each.
#pragma once

#include <string_view>

#include "cli/tool.h"

namespace rt::rtctl {

// Where `rtctl serve` listens if nothing else is said, and where its clients look for it.
inline constexpr std::string_view kDefaultUrl = "http://127.0.0.1:8080";

// What `rtctl setup` makes, `rtctl serve` and `rtctl sub wal` read, if nothing else is said.
inline constexpr std::string_view kDefaultPublication = "trigger_realtime_pub";

void add_verbs(cli::Tool& tool);

void add_ctx(cli::Tool& tool);
void add_doctor(cli::Tool& tool);
void add_examples(cli::Tool& tool);
void add_jobs(cli::Tool& tool);
void add_publish(cli::Tool& tool);
void add_serve(cli::Tool& tool);
void add_setup(cli::Tool& tool);
void add_subscribe(cli::Tool& tool);
void add_top(cli::Tool& tool);

}  // namespace rt::rtctl
