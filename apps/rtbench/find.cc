// rtbench find: the largest load that a target holds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "io/signals.h"
#include "load/engine.h"
#include "load/figures.h"
#include "load/limit_search.h"
#include "load/verdict.h"
#include "report/json.h"
#include "rtbench/open_publishing.h"
#include "rtbench/progress.h"
#include "rtbench/target_metrics.h"
#include "rtbench/verbs.h"

namespace rt::rtbench {
namespace {

struct FindFlags {
  std::string scenario;
  std::vector<std::string> overrides;
  std::string vary = "connections";
  std::string from;
  std::string to;
  std::string resolution = "5%";
  unsigned tries = 2;
  std::string cool_down = "2s";
  std::string output;
  std::string progress = "auto";
};

constexpr char kClaim[] = "delivery.p95 < 300ms";

// What a load means for the scenario.
struct Dimension {
  std::string_view name;
  std::string_view unit;
  std::uint64_t from;
  std::uint64_t to;
  std::vector<std::string> (*overrides)(std::uint64_t load, const Scenario& scenario);
};

constexpr std::string_view kVary = "connections, rate or fanout";

const Dimension* find_dimension(std::string_view name) {
  static const Dimension kDimensions[] = {
      {"connections", "connections", 1'000, 1'000'000,
       [](std::uint64_t load, const Scenario&) {
         return std::vector<std::string>{fmt::format("load.connections={}", load)};
       }},
      {"rate", "events/s", 50, 1'000'000,
       [](std::uint64_t load, const Scenario&) {
         return std::vector<std::string>{fmt::format("load.rate={}/s", load)};
       }},
      {"fanout", "subscribers of an event", 1, 1'000'000,
       [](std::uint64_t load, const Scenario& scenario) {
         const std::uint64_t topics = std::max<std::uint64_t>(1, scenario.connections() / load);
         return std::vector<std::string>{fmt::format("subscriptions.topics.count={}", topics)};
       }},
  };
  for (const Dimension& dimension : kDimensions) {
    if (dimension.name == name) return &dimension;
  }
  return nullptr;
}

Result<double> parse_share(std::string_view text) {
  char* end = nullptr;
  const std::string number(text.substr(0, text.find('%')));
  const double value = std::strtod(number.c_str(), &end);
  if (text.ends_with('%') && !number.empty() && *end == '\0' && value > 0 && value <= 100) {
    return value / 100;
  }
  return fail(Code::usage, fmt::format("--resolution {}: expected a percentage like 5%", text));
}

Trial trial_of(const Verdict& verdict) {
  switch (verdict.word) {
    case VerdictWord::pass:
      return Trial::holds;
    case VerdictWord::fail:
      return Trial::fails;
    case VerdictWord::invalid:
      return Trial::invalid;
  }
  return Trial::invalid;
}

class Finder {
 public:
  Finder(const FindFlags& flags, const Dimension& dimension, const LimitSearchPlan& plan,
         Duration cool_down, io::StopSignals& signals, ProgressLine& progress)
      : flags_(flags),
        dimension_(dimension),
        search_(plan),
        cool_down_(std::chrono::duration_cast<std::chrono::milliseconds>(cool_down)),
        signals_(signals),
        progress_(progress) {}

  Result<int> run(const Scenario& base) {
    while (const auto load = search_.next()) {
      const std::size_t settled = search_.steps().size();
      search_.learn(RT_TRY(try_load(*load, base)));
      if (stopped_ != 0) return 128 + stopped_;
      if (search_.steps().size() != settled) show(search_.steps().back());
      // What the trial left behind at the target does not count against the next one.
      if (search_.next()) stopped_ = signals_.wait(static_cast<int>(cool_down_.count()));
      if (stopped_ != 0) return 128 + stopped_;
    }
    return conclude();
  }

 private:
  Result<Trial> try_load(std::uint64_t load, const Scenario& base) {
    std::vector<std::string> overrides = flags_.overrides;
    for (std::string& more : dimension_.overrides(load, base)) {
      overrides.push_back(std::move(more));
    }
    Scenario scenario = RT_TRY(read_scenario(flags_.scenario, overrides));
    if (scenario.thresholds.empty()) {
      scenario.thresholds.push_back(RT_TRY(parse_threshold(kClaim)));
    }
    const Publishing publishing = RT_TRY(open_publishing(scenario, clock_));
    EngineParts parts;
    parts.producer = publishing.producer.get();
    parts.commits = publishing.commits.get();
    parts.pause = [&](std::chrono::milliseconds time) {
      return signals_.wait(static_cast<int>(time.count()));
    };
    const auto metrics = RT_TRY(follow_target_metrics(scenario, clock_, parts));
    parts.progress = [&](const EngineProgress& now) { progress_.show(now); };
    parts.tool_version = RT_VERSION;
    const Outcome outcome = RT_TRY(run_scenario(scenario, parts, clock_));
    progress_.clear();
    stopped_ = outcome.interrupted_by;
    const Verdict verdict = judge(scenario, outcome);
    note(load, scenario, outcome, verdict);
    return trial_of(verdict);
  }

  void note(std::uint64_t load, const Scenario& scenario, const Outcome& outcome,
            const Verdict& verdict) {
    const PhaseOutcome m = outcome.measured();
    const double p95 = m.delivery.percentile_us(0.95, m.undelivered());
    const std::string why = verdict.reasons.empty() ? "" : verdict.reasons.front().text;
    last_reason_ = why;
    progress_.say(fmt::format("{} {}: {}, p95 {}{}{}", format_count(load), dimension_.unit,
                              verdict_word(verdict.word), ms_text(p95), why.empty() ? "" : "; ",
                              why));
    trials_.push_back(
        {{"load", load},
         {"verdict", verdict_word(verdict.word)},
         {"p95_ms", std::isfinite(p95) ? nlohmann::ordered_json(p95 / 1000) : nullptr},
         {"reason", why},
         {"sha256", scenario.sha256}});
  }

  void show(const LimitSearch::Step& step) {
    constexpr const char* kWords[] = {"holds", "does not hold", "cannot be judged"};
    std::printf("%10s %s: %s (%u of %u trials)\n", format_count(step.load).c_str(),
                std::string(dimension_.unit).c_str(), kWords[static_cast<int>(step.word)],
                step.word == Trial::holds   ? step.holds
                : step.word == Trial::fails ? step.fails
                                            : step.invalid,
                step.holds + step.fails + step.invalid);
    std::fflush(stdout);
  }

  Result<int> conclude() {
    const auto holds = search_.holds();
    const auto fails = search_.fails();
    const auto unknown = search_.unknown();
    std::string line = holds ? fmt::format("holds {} {}", format_count(*holds), dimension_.unit)
                             : std::string("holds none of them");
    if (fails) line += fmt::format(", not {}", format_count(*fails));
    if (unknown) {
      line +=
          fmt::format("; at {} nothing can be claimed: {}", format_count(*unknown), last_reason_);
    } else if (!fails) {
      line += ", the most that was tried";
    }
    std::printf("%s\n", line.c_str());
    if (!flags_.output.empty()) {
      const auto or_null = [](const std::optional<std::uint64_t>& value) {
        return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
      };
      const nlohmann::ordered_json out = {
          {"schema", "rtbench.find/1"},  {"vary", dimension_.name},
          {"holds", or_null(holds)},     {"fails", or_null(fails)},
          {"unknown", or_null(unknown)}, {"trials", std::move(trials_)}};
      RT_CHECKED(write_report(flags_.output, out.dump(2) + "\n"));
    }
    if (unknown) return 7;
    return holds ? 0 : 1;
  }

  const FindFlags& flags_;
  const Dimension& dimension_;
  const SystemClock clock_;
  LimitSearch search_;
  std::chrono::milliseconds cool_down_;
  io::StopSignals& signals_;
  ProgressLine& progress_;
  nlohmann::ordered_json trials_ = nlohmann::ordered_json::array();
  std::string last_reason_;
  int stopped_ = 0;
};

Result<int> find(const FindFlags& flags) {
  const Dimension* dimension = find_dimension(flags.vary);
  if (dimension == nullptr) {
    return fail(Code::usage, fmt::format("--vary {}: expected {}", flags.vary, kVary));
  }
  const Scenario base = RT_TRY(read_scenario(flags.scenario, flags.overrides));
  if (dimension->name == "fanout" && base.subscriptions.names) {
    return fail(Code::usage, "--vary fanout: the scenario's topics are those of a file",
                "vary connections or rate, or leave the file out");
  }
  LimitSearchPlan plan;
  plan.from = flags.from.empty() ? dimension->from : RT_TRY(parse_count(flags.from));
  plan.to = flags.to.empty() ? dimension->to : RT_TRY(parse_count(flags.to));
  if (dimension->name == "fanout") plan.to = std::min(plan.to, base.connections());
  if (plan.from == 0 || plan.from > plan.to) {
    return fail(Code::usage, fmt::format("--from {} is above --to {}", plan.from, plan.to));
  }
  plan.resolution = RT_TRY(parse_share(flags.resolution));
  plan.tries = flags.tries;
  const Duration cool_down = RT_TRY(parse_duration(flags.cool_down));
  const ProgressLine::Style style = RT_TRY(ProgressLine::parse(flags.progress));
  io::StopSignals signals = RT_TRY(io::StopSignals::create());
  ProgressLine progress(style);  // its thread inherits the blocked signals
  return Finder(flags, *dimension, plan, cool_down, signals, progress).run(base);
}

}  // namespace

void add_find(cli::Tool& tool) {
  auto flags = std::make_shared<FindFlags>();
  CLI::App* app = tool.verb("find", "Find the largest load at which the thresholds hold",
                            [flags] { return find(*flags); });
  app->add_option("SCENARIO", flags->scenario, "A scenario file, or preset:NAME")->required();
  app->add_option("--set", flags->overrides, "Override one key of the scenario; repeat for several")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  app->add_option("--vary", flags->vary,
                  "What grows: doubled until it does not hold, then bisected")
      ->type_name("connections|rate|fanout");
  app->add_option("--from", flags->from, "The first load to try")->type_name("COUNT");
  app->add_option("--to", flags->to, "The most to try")->type_name("COUNT");
  app->add_option("--resolution", flags->resolution, "How narrow the answer is to be")
      ->type_name("PERCENT");
  app->add_option("--tries", flags->tries, "Equal answers that settle a load")
      ->check(CLI::Range(1, 20));
  app->add_option("--cool-down", flags->cool_down, "Pause between trials")->type_name("DURATION");
  app->add_option("-o,--output", flags->output, "Write the search as JSON")->type_name("FILE");
  app->add_option("--progress", flags->progress, "How progress is shown")
      ->type_name("auto|tty|plain|json|none");
  cli::Tool::examples(app,
                      "  rtbench find scenarios/quickstart.json --vary rate --from 500 --to 50k\n"
                      "  rtbench find mine.json --vary connections --resolution 2% -o limit.json");
}

}  // namespace rt::rtbench
