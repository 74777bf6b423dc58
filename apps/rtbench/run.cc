#include <cstdio>
#include <memory>
#include <optional>

#include "io/signals.h"
#include "load/engine.h"
#include "load/selftest.h"
#include "load/verdict.h"
#include "report/text.h"
#include "rtbench/colour.h"
#include "rtbench/live_server.h"
#include "rtbench/open_publishing.h"
#include "rtbench/progress.h"
#include "rtbench/report_files.h"
#include "rtbench/shard_flags.h"
#include "rtbench/target_metrics.h"
#include "rtbench/verbs.h"

namespace rt::rtbench {
namespace {

struct RunFlags {
  std::string scenario;
  std::vector<std::string> overrides;
  std::vector<std::string> reports;
  std::string progress = "auto";
  std::string colour = "auto";
  bool no_verdict = false;
  bool no_selftest = false;
  std::vector<std::string> thresholds;
  ShardFlags shard;
  std::string web;
};

// A run without a verdict (one part of a larger one) still shows faults of place and machine.
int status_without_verdict(const Verdict& verdict) {
  const int status = verdict.exit_status;
  return (status >= 2 && status <= 5) || status == 8 || status > 128 ? status : 0;
}

// Beside the result, not a condition of it: a machine too busy for a floor shows in the gates.
Result<std::optional<Floor>> short_floor(const EngineParts& parts, ProgressLine& progress,
                                         const Clock& clock) {
  Result<Floor> floor =
      measure_floor({kShortFloorLatency, kShortFloorThroughput, parts.pause}, clock);
  if (floor) return std::optional(std::move(*floor));
  if (floor.error().code == Code::cancelled) return fail(std::move(floor).error());
  progress.say("the floor of this machine could not be measured: " + floor.error().text);
  return std::optional<Floor>();
}

Result<int> run(const RunFlags& flags) {
  const ProgressLine::Style style = RT_TRY(ProgressLine::parse(flags.progress));
  std::vector<ReportFile> files = RT_TRY(parse_report_files(flags.reports));
  Scenario scenario = RT_TRY(read_scenario(flags.scenario, flags.overrides));
  for (const std::string& text : flags.thresholds) {
    scenario.thresholds.push_back(RT_TRY(parse_threshold(text)));
  }
  if (flags.shard.shard.empty()) add_scenario_reports(scenario, files);
  io::StopSignals signals = RT_TRY(io::StopSignals::create());
  const SystemClock clock;
  ProgressLine progress(style);
  const Publishing publishing = RT_TRY(open_publishing(scenario, clock));

  EngineParts parts;
  parts.producer = publishing.producer.get();
  parts.commits = publishing.commits.get();
  parts.pause = [&](std::chrono::milliseconds time) {
    return signals.wait(static_cast<int>(time.count()));
  };
  const auto metrics = RT_TRY(follow_target_metrics(scenario, clock, parts));
  std::unique_ptr<LiveServer> web;
  if (!flags.web.empty()) {
    web = RT_TRY(LiveServer::start(flags.web, scenario.name, clock));
    progress.say("live: " + web->url());
  }
  parts.progress = [&](const EngineProgress& now) {
    progress.show(now);
    if (web) web->publish(now);
  };
  parts.say = [&](std::string_view text) { progress.say(text); };
  parts.tool_version = RT_VERSION;
  parts.scenario = flags.scenario;
  const auto part = RT_TRY(apply_shard_flags(flags.shard, scenario, clock, parts));
  add_part_reports(flags.shard, part, files);
  std::optional<Floor> floor;
  if (!flags.no_selftest) floor = RT_TRY(short_floor(parts, progress, clock));
  Outcome outcome = RT_TRY(run_scenario(scenario, parts, clock));
  outcome.selftest = floor;
  outcome.part = part;
  progress.clear();

  const Verdict verdict = judge(scenario, outcome);
  std::fputs(text_report(scenario, outcome, verdict, wants_colour(flags.colour)).c_str(), stdout);
  RT_CHECKED(write_report_files(files, scenario, outcome, verdict));
  for (const ReportFile& file : files) progress.say("report: " + file.path);
  const bool judged = !flags.no_verdict && (!part || part->is_whole());
  return !judged ? status_without_verdict(verdict) : verdict.exit_status;
}

}  // namespace

void add_run(cli::Tool& tool) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App* app = tool.verb("run", "Run a scenario and judge it", [flags] { return run(*flags); });
  app->add_option("SCENARIO", flags->scenario, "A scenario file, or preset:NAME")->required();
  app->add_option("--set", flags->overrides, "Override one key of the scenario; repeat for several")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  app->add_option("--report", flags->reports,
                  "json, text, html, junit, md, hlog, csv or prom; several: repeat, or commas")
      ->type_name("KIND=FILE")
      ->allow_extra_args(false);
  app->add_option("--progress", flags->progress, "How progress is shown")
      ->type_name("auto|tty|plain|json|none");
  add_colour_option(app, flags->colour);
  app->add_option("--threshold", flags->thresholds, "Judge by this threshold too; repeatable")
      ->type_name("EXPR")
      ->allow_extra_args(false);
  app->add_option("--web", flags->web,
                  "Show the run live at http://ADDRESS/, with /metrics for Prometheus")
      ->type_name("ADDRESS");
  add_shard_options(app, flags->shard);
  app->add_flag("--no-verdict", flags->no_verdict,
                "Exit 0 whatever was measured; faults of target and machine still show");
  app->add_flag("--no-selftest", flags->no_selftest,
                "Do not measure this machine's floor first (1.5 s)");
  cli::Tool::examples(
      app,
      "  rtbench run scenarios/quickstart.json --set "
      "target.url=http://127.0.0.1:8080/v1/runs/stream\n"
      "  rtbench run preset:raw --set target.url=http://host/stream --set load.connections=1k\n"
      "  rtbench run mine.json --report json=out/mine.json,html=out/mine.html\n"
      "  rtbench run mine.json --shard 0/4 --run-id r1 --start-at +20s --rendezvous /shared --out "
      "/shared/r1");
}

}  // namespace rt::rtbench
