// The verbs of `rtctl publish`, one file each: publish_topic.cc, publish_event.cc and so on.
#pragma once

#include "cli/tool.h"

namespace rt::rtctl {

void add_publish_event(cli::Tool& tool, CLI::App* publish);
void add_publish_job(cli::Tool& tool, CLI::App* publish);
void add_publish_notify(cli::Tool& tool, CLI::App* publish);
void add_publish_realtime(cli::Tool& tool, CLI::App* publish);
void add_publish_run(cli::Tool& tool, CLI::App* publish);
void add_publish_topic(cli::Tool& tool, CLI::App* publish);

}  // namespace rt::rtctl
