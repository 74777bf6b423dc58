// rtreplay merge: several recordings on one timeline.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "base/units.h"
#include "rtreplay/merge_streams.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

struct Options {
  std::vector<std::string> paths;
  std::string output;
  std::string recover;
  bool quiet = false;
};

Result<int> run(const Options& options) {
  if (options.paths.size() < 2) {
    return fail(Code::usage, "merge needs two recordings or more",
                "rtreplay merge A.rtr B.rtr -o C.rtr");
  }
  const archive::OnDamage on_damage = RT_TRY(parse_on_damage(options.recover));
  MergeSources sources;
  for (const std::string& path : options.paths) {
    sources.push_back(RT_TRY(MergeSource::open(path, on_damage)));
  }
  const archive::Origin origin = RT_TRY(merged_origin(sources));
  Rewriter out = RT_TRY(Rewriter::create(options.output, origin));
  const MergeCounts counts = RT_TRY(merge_streams(sources, out));
  RT_CHECKED(out.finish());
  for (const auto& source : sources) {
    for (const std::string& text : source->reader().skipped()) {
      std::fprintf(stderr, "rtreplay: warning: %s\n", text.c_str());
    }
  }
  if (options.quiet) return 0;
  std::string line = fmt::format("wrote {}: {}", options.output, out.summary());
  if (counts.duplicates > 0) {
    line += fmt::format(", {} changes were held twice", format_count(counts.duplicates));
  }
  if (counts.gaps > 0) line += fmt::format(", {} gaps between recordings", counts.gaps);
  std::fprintf(stderr, "rtreplay: %s\n", line.c_str());
  return 0;
}

}  // namespace

void add_merge(cli::Tool& tool) {
  auto options = std::make_shared<Options>();
  CLI::App* app = tool.verb("merge", "Put several recordings on one timeline",
                            [options] { return run(*options); });
  app->add_option("ARCHIVES", options->paths, "Files or directories, two or more")->required();
  app->add_option("-o,--output", options->output,
                  "The new recording: a file if it ends in .rtr, else a directory")
      ->type_name("ARCHIVE")
      ->required();
  app->add_flag("-q,--quiet", options->quiet, "No summary");
  add_recover_option(app, options->recover);
  cli::Tool::examples(app,
                      "  rtreplay merge monday.rtr tuesday.rtr -o both.rtr\n"
                      "  rtreplay merge database.rtr phone.rtr redis.rtr -o incident.rtr\n"
                      "Transactions of one cluster come in the order of their commits, everything "
                      "else by time. What "
                      "two\n"
                      "recordings both hold is written once.");
}

}  // namespace rt::rtreplay
