// rtreplay cat: what a recording holds, one row a line.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "archive/reader.h"
#include "rtreplay/output.h"
#include "rtreplay/record_printer.h"
#include "rtreplay/record_range.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

struct CatOptions {
  std::string path;
  std::string format = "ndjson";
  RecordRange::Options range;
  std::string recover;
  bool snapshot = false;
};

Result<int> run(const CatOptions& options) {
  if (options.format != "ndjson" && options.format != "text") {
    return fail(Code::usage, fmt::format("unknown format \"{}\"", options.format),
                "one of ndjson, text");
  }
  const RecordRange range = RT_TRY(RecordRange::parse(options.range, RecordRange::Unit::record));
  archive::ReadOptions read;
  read.committed_only = true;
  read.on_damage = RT_TRY(parse_on_damage(options.recover));
  archive::Reader reader = RT_TRY(archive::Reader::open(options.path, read));
  RT_CHECKED(range.seek(reader));
  RecordPrinter printer(options.format == "text" ? LineFormat::text : LineFormat::ndjson,
                        options.snapshot);
  Output output(STDOUT_FILENO);
  archive::Entry entry;
  for (;;) {
    auto more = reader.next(entry);
    if (!more) {
      RT_TRY(output.flush());
      return fail(std::move(more).error());
    }
    if (!*more || range.is_past(entry)) break;
    printer.print(entry.record, entry.position, output.buffer());
    if (!RT_TRY(output.poll())) return 0;
  }
  RT_TRY(output.flush());
  for (const std::string& text : reader.skipped()) {
    std::fprintf(stderr, "rtreplay: warning: %s\n", text.c_str());
  }
  if (printer.undecodable() > 0) {
    return fail(Code::integrity, fmt::format("{} rows of {} could not be decoded",
                                             printer.undecodable(), options.path));
  }
  return 0;
}

}  // namespace

void add_cat(cli::Tool& tool) {
  auto options = std::make_shared<CatOptions>();
  CLI::App* app =
      tool.verb("cat", "Print a recording, one row a line", [options] { return run(*options); });
  app->add_option("ARCHIVE", options->path, "File or directory")->required();
  app->add_option("--format", options->format, "How rows are printed")
      ->type_name("ndjson|text")
      ->capture_default_str();
  RecordRange::declare(app, options->range, RecordRange::Unit::record);
  app->add_flag("--snapshot", options->snapshot, "Also print the rows of snapshots (op S)");
  add_recover_option(app, options->recover);
  cli::Tool::examples(app,
                      "  rtreplay cat incident.rtr --from 2026-03-29T00:30:00Z | jq .new\n"
                      "  rtreplay cat incident.rtr --from 000000014D7E3B28-00000002 --format text");
}

}  // namespace rt::rtreplay
