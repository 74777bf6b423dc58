// The verbs of rtreplay, one file each.
#pragma once

#include <string>

#include "archive/recovery.h"
#include "cli/tool.h"

namespace rt::rtreplay {

void add_record(cli::Tool& tool);  // record wal|sse|notify|redis
void add_info(cli::Tool& tool);
void add_verify(cli::Tool& tool);
void add_cat(cli::Tool& tool);
void add_play(cli::Tool& tool);
void add_cut(cli::Tool& tool);
void add_filter(cli::Tool& tool);
void add_merge(cli::Tool& tool);
void add_convert(cli::Tool& tool);
void add_diff(cli::Tool& tool);
void add_bisect(cli::Tool& tool);

void add_record_wal(cli::Tool& tool, CLI::App* record);
void add_record_sse(cli::Tool& tool, CLI::App* record);
void add_record_notify(cli::Tool& tool, CLI::App* record);
void add_record_redis(cli::Tool& tool, CLI::App* record);

// "strict", "point-in-time", "salvage".
Result<archive::OnDamage> parse_on_damage(const std::string& text);
// Declares --recover.
void add_recover_option(CLI::App* app, std::string& value);

}  // namespace rt::rtreplay
