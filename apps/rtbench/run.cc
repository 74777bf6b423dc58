#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "io/signals.h"
#include "load/engine.h"
#include "load/selftest.h"
#include "load/verdict.h"
#include "report/text.h"
#include "rtbench/open_publishing.h"
#include "rtbench/progress.h"
#include "rtbench/report_files.h"
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
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool wants_colour(const std::string& word) {
  if (word == "always") return true;
  if (word == "never" || !environment("NO_COLOR").empty()) return false;
  if (!environment("FORCE_COLOR").empty()) return true;
  return ::isatty(STDOUT_FILENO) != 0 && environment("TERM") != "dumb";
}

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
  const Scenario scenario = RT_TRY(read_scenario(flags.scenario, flags.overrides));
  add_scenario_reports(scenario, files);
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
  parts.progress = [&](const EngineProgress& now) { progress.show(now); };
  parts.say = [&](std::string_view text) { progress.say(text); };
  parts.tool_version = RT_VERSION;
  parts.scenario = flags.scenario;
  std::optional<Floor> floor;
  if (!flags.no_selftest) floor = RT_TRY(short_floor(parts, progress, clock));
  Outcome outcome = RT_TRY(run_scenario(scenario, parts, clock));
  outcome.selftest = floor;
  progress.clear();

  const Verdict verdict = judge(scenario, outcome);
  std::fputs(text_report(scenario, outcome, verdict, wants_colour(flags.colour)).c_str(), stdout);
  RT_CHECKED(write_report_files(files, scenario, outcome, verdict));
  for (const ReportFile& file : files) progress.say("report: " + file.path);
  return flags.no_verdict ? status_without_verdict(verdict) : verdict.exit_status;
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
                  "Write a report: json, text or junit; repeat, or separate by commas")
      ->type_name("KIND=FILE")
      ->allow_extra_args(false);
  app->add_option("--progress", flags->progress, "How progress is shown")
      ->type_name("auto|tty|plain|none");
  app->add_option("--color", flags->colour, "Colours")
      ->type_name("auto|always|never")
      ->envname("RT_COLOR");
  app->add_flag("--no-verdict", flags->no_verdict,
                "Exit 0 whatever was measured; faults of target and machine still show");
  app->add_flag("--no-selftest", flags->no_selftest,
                "Do not measure this machine's floor first (1.5 s)");
  cli::Tool::examples(
      app,
      "  rtbench run scenarios/quickstart.json --set "
      "target.url=http://127.0.0.1:8080/v1/runs/stream\n"
      "  rtbench run preset:raw --set target.url=http://host/stream --set load.connections=1k\n"
      "  rtbench run mine.json --report json=out/mine.json,junit=out/mine.xml");
}

}  // namespace rt::rtbench
