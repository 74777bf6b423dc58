// rtbench report: a JSON report rendered again, perhaps held against other thresholds.
#include <cstdio>
#include <memory>

#include "load/verdict.h"
#include "report/stored_report.h"
#include "report/text.h"
#include "rtbench/colour.h"
#include "rtbench/report_files.h"
#include "rtbench/verbs.h"

namespace rt::rtbench {
namespace {

struct ReportFlags {
  std::string file;
  std::vector<std::string> reports;
  std::vector<std::string> thresholds;
  std::string colour = "auto";
  bool judge = false;
};

Result<int> report(const ReportFlags& flags) {
  const std::vector<ReportFile> files = RT_TRY(parse_report_files(flags.reports));
  StoredReport stored = RT_TRY(read_stored_report(flags.file));
  for (const std::string& text : flags.thresholds) {
    stored.scenario.thresholds.push_back(RT_TRY(parse_threshold(text)));
  }
  const Verdict verdict = rt::judge(stored.scenario, stored.outcome);
  if (files.empty()) {
    std::fputs(
        text_report(stored.scenario, stored.outcome, verdict, wants_colour(flags.colour)).c_str(),
        stdout);
  }
  RT_CHECKED(write_report_files(files, stored.scenario, stored.outcome, verdict));
  return flags.judge ? verdict.exit_status : 0;
}

}  // namespace

void add_report(cli::Tool& tool) {
  auto flags = std::make_shared<ReportFlags>();
  CLI::App* app = tool.verb("report", "Render a JSON report again: text, HTML, JUnit, ...",
                            [flags] { return report(*flags); });
  app->add_option("FILE", flags->file, "A report written by run --report json=FILE, or by merge")
      ->required();
  app->add_option("--report", flags->reports,
                  "json, text, html, junit, md, hlog, csv or prom; \"-\" is standard output")
      ->type_name("KIND=FILE")
      ->allow_extra_args(false);
  app->add_option("--threshold", flags->thresholds, "Judge by this threshold too; repeatable")
      ->type_name("EXPR")
      ->allow_extra_args(false);
  app->add_flag("--judge", flags->judge, "Exit with the status of the verdict, as run does");
  add_colour_option(app, flags->colour);
  cli::Tool::examples(app,
                      "  rtbench report out/runs.json\n"
                      "  rtbench report out/runs.json --report html=runs.html,md=-\n"
                      "  rtbench report out/runs.json --threshold 'delivery.p99 < 1s' --judge");
}

}  // namespace rt::rtbench
