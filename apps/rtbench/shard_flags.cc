#include "rtbench/shard_flags.h"

#include <fmt/format.h>

#include "base/units.h"
#include "rtbench/meeting.h"

namespace rt::rtbench {

void add_shard_options(CLI::App* app, ShardFlags& flags) {
  app->add_option("--shard", flags.shard,
                  "Run one part of n: topics are divided; no verdict, rtbench merge gives it")
      ->type_name("i/n");
  app->add_option("--run-id", flags.run_id, "The name all shards of a run share")
      ->type_name("NAME");
  app->add_option("--start-at", flags.start_at,
                  "Begin at that date, or so long after all shards are ready")
      ->type_name("TIME|+DURATION");
  app->add_option("--rendezvous", flags.rendezvous,
                  "Where shards agree on the start: a folder, or http://HOST:PORT of shard 0")
      ->type_name("DIR|URL");
  app->add_option("--rendezvous-wait", flags.patience, "How long to wait for the other shards")
      ->type_name("DURATION");
  app->add_option("--out", flags.out, "Write DIR/RUN.SHARD.json and .hlog, for rtbench merge DIR")
      ->type_name("DIR");
}

Result<std::optional<RunPart>> apply_shard_flags(const ShardFlags& flags, const Scenario& scenario,
                                                 const Clock& clock, EngineParts& parts) {
  std::optional<RunPart> part;
  if (!flags.shard.empty()) {
    parts.share = RT_TRY(parse_shard(flags.shard));
    if (flags.run_id.empty() || flags.run_id.find('/') != std::string::npos) {
      return fail(Code::usage, "--shard needs --run-id NAME, a name without \"/\"");
    }
    parts.run_id = flags.run_id;
    part = RunPart{flags.run_id, parts.share.count, {parts.share.number}};
  }
  if (flags.start_at.empty()) return part;
  const StartAt start = RT_TRY(parse_start_at(flags.start_at));
  if (!start.is_relative) {
    parts.await_start = [at = start.at, &clock, &parts] {
      return wait_for_start(at, clock, parts.pause);
    };
    return part;
  }
  if (flags.rendezvous.empty() || !part) {
    return fail(Code::usage, "--start-at +DURATION needs --rendezvous DIR|URL and --shard i/n");
  }
  const Rendezvous place{flags.rendezvous, flags.run_id, scenario.sha256,
                         parts.share,      start.after,  RT_TRY(parse_duration(flags.patience))};
  const auto agree = place.place.starts_with("http://") ? agree_at_url : agree_on_start;
  parts.await_start = [place, agree, &clock, &parts]() -> Result<void> {
    return wait_for_start(RT_TRY(agree(place, clock, parts.pause)), clock, parts.pause);
  };
  return part;
}

void add_part_reports(const ShardFlags& flags, const std::optional<RunPart>& part,
                      std::vector<ReportFile>& files) {
  if (flags.out.empty()) return;
  const std::string name =
      part ? fmt::format("{}.{}", part->run_id, part->have.front()) : std::string("run");
  for (const char* kind : {"json", "hlog"}) {
    files.push_back({find_report_format(kind), fmt::format("{}/{}.{}", flags.out, name, kind)});
  }
}

}  // namespace rt::rtbench
