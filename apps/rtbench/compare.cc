// rtbench compare: is the new run slower than the base, beyond a margin?
#include "load/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/text.h"
#include "load/figures.h"
#include "load/verdict.h"
#include "report/stored_report.h"
#include "rtbench/verbs.h"

namespace rt::rtbench {
namespace {

struct CompareFlags {
  std::string base;
  std::string next;
  std::string margin = "5%";
  std::string stat = "p95";
};

constexpr std::array<std::string_view, 5> kStats = {"p50", "p90", "p95", "p99", "p99.9"};

Result<double> parse_margin(std::string_view text) {
  const std::string number(text.substr(0, text.find('%')));
  char* end = nullptr;
  const double value = std::strtod(number.c_str(), &end);
  if (!text.ends_with('%') || number.empty() || *end != '\0' || !(value >= 0 && value <= 1000)) {
    return fail(Code::usage, fmt::format("--margin {}: expected a percentage like 5%", text));
  }
  return value / 100;
}

struct Side {
  std::vector<Outcome> outcomes;
  std::string digest;
  std::string not_sound;  // the first run that supports no claim, and why
  std::string broken;     // the first one that lost, doubled or reordered something
};

// A file, or a folder whose JSON files are repeats of one run.
Result<Side> read_side(const std::string& place) {
  std::vector<std::string> files = {place};
  std::error_code error;
  if (std::filesystem::is_directory(place, error)) {
    files.clear();
    for (const auto& entry : std::filesystem::directory_iterator(place, error)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
  }
  if (files.empty()) return fail(Code::usage, "there is no JSON report in " + place);
  Side side;
  for (const std::string& file : files) {
    StoredReport stored = RT_TRY(read_stored_report(file));
    const std::string digest = workload_digest(stored.scenario);
    if (!side.digest.empty() && digest != side.digest) {
      return fail(Code::usage, fmt::format("{} is of another workload than {}", file, files[0]));
    }
    side.digest = digest;
    for (const Reason& reason : judge(stored.scenario, stored.outcome).reasons) {
      std::string& story = reason.exit_status == 6 ? side.broken : side.not_sound;
      const bool counts = reason.exit_status != 1;  // a missed threshold is no fault of the figures
      if (counts && story.empty()) story = file + ": " + reason.text;
    }
    side.outcomes.push_back(std::move(stored.outcome));
  }
  return side;
}

std::string line_of(const RatioResult& r, bool decides) {
  const auto percent = [](double ratio) {
    return std::isfinite(ratio) ? fmt::format("{:+.1f} %", (ratio - 1) * 100) : ms_number(ratio);
  };
  return fmt::format("{:<9} {:>10} -> {:<10} {:>8}  (95 % CI {} to {})  {}{}\n", "  " + r.stat,
                     ms_text(r.base_us), ms_text(r.new_us), percent(r.ratio), percent(r.low),
                     percent(r.high), compare_word(r.word), decides ? "   <- decides" : "");
}

Result<int> compare(const CompareFlags& flags) {
  const double margin = RT_TRY(parse_margin(flags.margin));
  if (std::find(kStats.begin(), kStats.end(), flags.stat) == kStats.end()) {
    return fail(Code::usage,
                fmt::format("--stat {}: expected one of {}", flags.stat, fmt::join(kStats, ", ")));
  }
  const Side base = RT_TRY(read_side(flags.base));
  const Side next = RT_TRY(read_side(flags.next));
  if (base.digest != next.digest) {
    return fail(Code::usage, "the two ran different workloads: they cannot be compared",
                "run the same scenario with the same seed; only its target may differ");
  }
  std::string lines;
  CompareWord word = CompareWord::undecided;
  for (const std::string_view stat : kStats) {
    const RatioResult result = compare_percentile(base.outcomes, next.outcomes, stat, margin);
    if (stat == flags.stat) word = result.word;
    lines += line_of(result, stat == flags.stat);
  }
  std::string why;
  if (!base.not_sound.empty() || !base.broken.empty()) {
    word = CompareWord::undecided;
    why = base.not_sound.empty() ? base.broken : base.not_sound;
  } else if (!next.broken.empty()) {
    word = CompareWord::worse;
    why = next.broken;
  } else if (!next.not_sound.empty()) {
    word = CompareWord::undecided;
    why = next.not_sound;
  }
  constexpr std::array kWords = {"PASS", "FAIL", "INVALID"};
  constexpr std::array kStatus = {0, 1, 7};
  const auto index = static_cast<std::size_t>(word);
  std::printf("%s  %s: delivery %s, margin %s, runs %zu and %zu\n%s", kWords[index],
              compare_word(word), flags.stat.c_str(), flags.margin.c_str(), base.outcomes.size(),
              next.outcomes.size(), lines.c_str());
  if (!why.empty()) std::printf("reason    %s\n", why.c_str());
  return kStatus[index];
}

}  // namespace

void add_compare(cli::Tool& tool) {
  auto flags = std::make_shared<CompareFlags>();
  CLI::App* app = tool.verb("compare", "Judge whether a run is slower than another, by a margin",
                            [flags] { return compare(*flags); });
  app->add_option("BASE", flags->base, "A JSON report, or a folder with those of several runs")
      ->required();
  app->add_option("NEW", flags->next, "The same, of what is to be judged")->required();
  app->add_option("--margin", flags->margin, "How much slower is still no worse")
      ->type_name("PERCENT");
  app->add_option("--stat", flags->stat, "The percentile of deliveries that decides")
      ->type_name("p50|p90|p95|p99|p99.9");
  cli::Tool::examples(app,
                      "  rtbench compare main.json branch.json\n"
                      "  rtbench compare main/ branch/ --margin 10% --stat p99");
}

}  // namespace rt::rtbench
