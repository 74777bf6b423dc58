// rtbench merge: the reports of all shards become the report of the run, with the one verdict.
#include "load/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "report/stored_report.h"
#include "report/text.h"
#include "rtbench/colour.h"
#include "rtbench/report_files.h"
#include "rtbench/verbs.h"

namespace rt::rtbench {
namespace {

struct MergeFlags {
  std::vector<std::string> places;
  std::vector<std::string> reports;
  std::string colour = "auto";
};

// Files as they are; of folders, the JSON files in them.
Result<std::vector<std::string>> files_of(const std::vector<std::string>& places) {
  std::vector<std::string> files;
  for (const std::string& place : places) {
    std::error_code error;
    if (!std::filesystem::is_directory(place, error)) {
      files.push_back(place);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(place, error)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path().string());
    }
    if (error) return fail(Code::usage, "cannot read folder " + place + ": " + error.message());
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) return fail(Code::usage, "there are no JSON reports to merge");
  return files;
}

std::string missing_shards(const RunPart& part) {
  std::string out;
  for (unsigned shard = 0; shard < part.shards; ++shard) {
    if (std::find(part.have.begin(), part.have.end(), shard) != part.have.end()) continue;
    out += fmt::format("{}{}", out.empty() ? "" : ", ", shard);
  }
  return out;
}

Result<int> merge(const MergeFlags& flags) {
  const std::vector<ReportFile> reports = RT_TRY(parse_report_files(flags.reports));
  std::vector<Outcome> parts;
  Scenario scenario;
  for (const std::string& file : RT_TRY(files_of(flags.places))) {
    StoredReport stored = RT_TRY(read_stored_report(file));
    scenario = std::move(stored.scenario);
    parts.push_back(std::move(stored.outcome));
  }
  const Outcome merged = RT_TRY(merge_outcomes(parts));
  const Verdict verdict = judge_merged(scenario, merged, parts);
  std::fputs(text_report(scenario, merged, verdict, wants_colour(flags.colour)).c_str(), stdout);
  RT_CHECKED(write_report_files(reports, scenario, merged, verdict));
  if (!merged.part->is_whole()) {
    return fail(Code::invalid, fmt::format("shard {} of {} is missing: no verdict",
                                           missing_shards(*merged.part), merged.part->shards));
  }
  return verdict.exit_status;
}

}  // namespace

void add_merge(cli::Tool& tool) {
  auto flags = std::make_shared<MergeFlags>();
  CLI::App* app = tool.verb("merge", "Add up the reports of all shards and give the verdict",
                            [flags] { return merge(*flags); });
  app->add_option("DIR|FILE", flags->places,
                  "JSON reports of run --shard, or folders of them (run --out)")
      ->required();
  app->add_option("--report", flags->reports,
                  "Write a report: json, text, html, junit, md, hlog, csv or prom")
      ->type_name("KIND=FILE")
      ->allow_extra_args(false);
  add_colour_option(app, flags->colour);
  cli::Tool::examples(app,
                      "  rtbench merge out/ --report json=whole.json,html=whole.html\n"
                      "  rtbench merge r1.0.json r1.1.json r1.2.json r1.3.json");
}

}  // namespace rt::rtbench
