// The options of a run on several machines: --shard, --run-id, --start-at, --rendezvous, --out.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "load/engine.h"
#include "load/rendezvous.h"
#include "rtbench/report_files.h"

namespace rt::rtbench {

struct ShardFlags {
  std::string shard;
  std::string run_id;
  std::string start_at;
  std::string rendezvous;
  std::string patience = "60s";
  std::string out;
};
void add_shard_options(CLI::App* app, ShardFlags& flags);

// Fills share, run_id and await_start of `parts`, which keeps references to the arguments.
// Returns which part the run is; nothing when it is whole.
Result<std::optional<RunPart>> apply_shard_flags(const ShardFlags& flags, const Scenario& scenario,
                                                 const Clock& clock, EngineParts& parts);

// DIR/RUN.SHARD.json and .hlog for --out, what `rtbench merge DIR` looks for.
void add_part_reports(const ShardFlags& flags, const std::optional<RunPart>& part,
                      std::vector<ReportFile>& files);

}  // namespace rt::rtbench
