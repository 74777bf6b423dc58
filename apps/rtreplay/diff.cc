// rtreplay diff: do two recordings say the same?
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "rtreplay/stream_diff.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string a;
  std::string b;
  std::string by = "auto";
  std::string recover;
  bool json = false;
};

Result<DiffJudge::By> parse_by(const Options& options, const archive::Reader& a,
                               const archive::Reader& b) {
  if (options.by == "position") return DiffJudge::By::position;
  if (options.by == "content") return DiffJudge::By::content;
  if (options.by != "auto") {
    return fail(Code::usage, fmt::format("unknown way to compare \"{}\"", options.by),
                "one of auto, position, content");
  }
  const std::uint64_t cluster = a.header().origin.system_identifier;
  const bool one = cluster != 0 && cluster == b.header().origin.system_identifier;
  return one ? DiffJudge::By::position : DiffJudge::By::content;
}

// Reads both side by side: by position what stands first, by content the side on which less waits.
Result<void> compare(ChangeReader& a, ChangeReader& b, DiffJudge::By by, DiffJudge& judge) {
  ChangeReader* const readers[2] = {&a, &b};
  Change heads[2];
  bool more[2] = {RT_TRY(a.next(heads[0])), RT_TRY(b.next(heads[1]))};
  while (more[0] || more[1]) {
    int side = more[0] ? 0 : 1;
    if (more[0] && more[1]) {
      const bool b_first = by == DiffJudge::By::position ? heads[1].position < heads[0].position
                                                         : judge.waiting(1) < judge.waiting(0);
      side = b_first ? 1 : 0;
    }
    judge.take(heads[side], side);
    more[side] = RT_TRY(readers[side]->next(heads[side]));
  }
  judge.finish();
  return {};
}

std::string shift_text(const TimeShift& shift) {
  const auto text = [](std::int64_t us) {
    const Duration size = std::chrono::microseconds(us < 0 ? -us : us);
    return (us < 0 ? "-" : "+") + format_duration(size);
  };
  return fmt::format("B is {} after A (first pair), {} to {} over {} pairs", text(shift.first_us),
                     text(shift.least_us), text(shift.most_us), format_count(shift.pairs));
}

ordered_json as_json(const DiffJudge& judge, DiffJudge::By by, bool differs) {
  ordered_json streams = ordered_json::array();
  for (const auto& [name, stream] : judge.streams()) {
    ordered_json one = {{"stream", name}, {"same", stream.same}};
    ordered_json first = ordered_json::object();
    for (std::size_t kind = 0; kind < stream.counts.size(); ++kind) {
      one[StreamDiff::kNames[kind]] = stream.counts[kind];
      if (stream.counts[kind] > 0) first[StreamDiff::kNames[kind]] = stream.first[kind];
    }
    one["first"] = std::move(first);
    streams.push_back(std::move(one));
  }
  const TimeShift& shift = judge.shift();
  return {{"equal", !differs},
          {"by", by == DiffJudge::By::position ? "position" : "content"},
          {"streams", std::move(streams)},
          {"shift_us",
           {{"pairs", shift.pairs},
            {"first", shift.first_us},
            {"least", shift.least_us},
            {"most", shift.most_us}}}};
}

void print_text(const DiffJudge& judge, bool differs) {
  std::printf("%-32s %12s %10s %10s %10s %10s\n", "stream", "same", "missing", "extra", "moved",
              "changed");
  for (const auto& [name, stream] : judge.streams()) {
    std::printf("%-32s %12s", name.c_str(), format_count(stream.same).c_str());
    for (const std::uint64_t n : stream.counts) std::printf(" %10s", format_count(n).c_str());
    std::printf("\n");
    for (std::size_t kind = 0; kind < stream.counts.size(); ++kind) {
      if (stream.counts[kind] == 0) continue;
      std::printf("  first %s: %s\n", StreamDiff::kNames[kind], stream.first[kind].c_str());
    }
  }
  if (judge.shift().pairs > 0) std::printf("%s\n", shift_text(judge.shift()).c_str());
  std::printf("%s\n", differs ? "they differ" : "they are equal");
}

Result<int> run(const Options& options) {
  archive::ReadOptions read;
  read.committed_only = true;
  read.on_damage = RT_TRY(parse_on_damage(options.recover));
  archive::Reader first = RT_TRY(archive::Reader::open(options.a, read));
  archive::Reader second = RT_TRY(archive::Reader::open(options.b, read));
  const DiffJudge::By by = RT_TRY(parse_by(options, first, second));
  ChangeReader a(std::move(first));
  ChangeReader b(std::move(second));
  DiffJudge judge(by);
  RT_CHECKED(compare(a, b, by, judge));
  bool differs = false;
  for (const auto& [name, stream] : judge.streams()) differs = differs || stream.differs();
  if (options.json) {
    const auto text =
        as_json(judge, by, differs).dump(2, ' ', false, ordered_json::error_handler_t::replace);
    std::printf("%s\n", text.c_str());
  } else {
    print_text(judge, differs);
  }
  std::fflush(stdout);
  for (const ChangeReader* reader : {&a, &b}) {
    for (const std::string& text : reader->reader().skipped()) {
      std::fprintf(stderr, "rtreplay: warning: %s\n", text.c_str());
    }
  }
  return differs ? 1 : 0;
}

}  // namespace

void add_diff(cli::Tool& tool) {
  auto options = std::make_shared<Options>();
  CLI::App* app =
      tool.verb("diff", "Say where two recordings differ", [options] { return run(*options); });
  app->add_option("A", options->a, "A recording")->required();
  app->add_option("B", options->b, "The one to hold against it")->required();
  app->add_option("--by", options->by,
                  "What makes two rows the same; auto: position if both are of one cluster")
      ->type_name("auto|position|content")
      ->capture_default_str();
  app->add_flag("--json", options->json, "As one JSON object");
  add_recover_option(app, options->recover);
  cli::Tool::examples(
      app,
      "  rtreplay diff incident.rtr replayed.rtr\n"
      "  rtreplay diff monday.rtr merged.rtr --json | jq '.streams[] | select(.missing > 0)'\n"
      "By table and channel: missing in B, extra in B, moved, changed. exit status: 0 equal, 1 "
      "different.\n"
      "By content, changes that stand more than 65536 apart are not recognised as the same.");
}

}  // namespace rt::rtreplay
