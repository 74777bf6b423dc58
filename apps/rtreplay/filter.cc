// rtreplay filter: some rows and events of a recording as a recording of its own.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "archive/reader.h"
#include "base/units.h"
#include "rtreplay/record_filter.h"
#include "rtreplay/record_range.h"
#include "rtreplay/rewriter.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

struct Options {
  std::string path;
  std::string output;
  RecordFilter::Options filter;
  RecordRange::Options range;
  std::string recover;
  bool quiet = false;
};

Result<void> pass_judged(RecordFilter& filter, const archive::Entry& entry,
                         const StreamSchema& schema, Rewriter& out) {
  switch (filter.judge(entry.record)) {
    case RecordFilter::Verdict::drop:
      return {};
    case RecordFilter::Verdict::keep:
      return out.pass(entry, schema);
    case RecordFilter::Verdict::changed:
      break;
  }
  for (const RecordFilter::Part& part : filter.parts()) {
    RecordView record = entry.record;
    record.body = part.body;
    const Position at{entry.position.lsn, entry.position.index + part.changes_before};
    RT_CHECKED(out.pass(record, at, schema));
  }
  return {};
}

void say_result(const Options& options, const archive::Reader& reader, const RecordFilter& filter,
                const Rewriter& out) {
  for (const std::string& text : reader.skipped()) {
    std::fprintf(stderr, "rtreplay: warning: %s\n", text.c_str());
  }
  if (filter.undecided() > 0) {
    std::fprintf(
        stderr,
        "rtreplay: warning: %s rows kept or judged by their new values alone: the old ones "
        "are not recorded (REPLICA IDENTITY FULL records them)\n",
        format_count(filter.undecided()).c_str());
  }
  if (!options.quiet) {
    std::fprintf(stderr, "rtreplay: wrote %s: %s\n", options.output.c_str(), out.summary().c_str());
  }
}

Result<int> run(const Options& options) {
  RecordFilter filter = RT_TRY(RecordFilter::parse(options.filter));
  const RecordRange range =
      RT_TRY(RecordRange::parse(options.range, RecordRange::Unit::transaction));
  archive::ReadOptions read;
  read.committed_only = true;
  read.on_damage = RT_TRY(parse_on_damage(options.recover));
  archive::Reader reader = RT_TRY(archive::Reader::open(options.path, read));
  archive::Origin origin = reader.header().origin;
  origin.notes_json = derived_notes(origin.notes_json, "filter", options.path);
  Rewriter out = RT_TRY(Rewriter::create(options.output, origin));
  StreamSchema schema;
  RT_CHECKED(range.seek(reader));
  archive::Entry entry;
  while (RT_TRY(reader.next(entry)) && !range.is_past(entry)) {
    if (entry.record.kind == RecordKind::wal) schema.learn(entry.record);
    RT_CHECKED(pass_judged(filter, entry, schema, out));
  }
  RT_CHECKED(out.finish());
  say_result(options, reader, filter, out);
  return 0;
}

}  // namespace

void add_filter(cli::Tool& tool) {
  auto options = std::make_shared<Options>();
  CLI::App* app = tool.verb("filter", "Copy some rows and events of a recording",
                            [options] { return run(*options); });
  app->add_option("ARCHIVE", options->path, "File or directory")->required();
  app->add_option("-o,--output", options->output,
                  "The new recording: a file if it ends in .rtr, else a directory")
      ->type_name("ARCHIVE")
      ->required();
  RecordFilter::declare(app, options->filter);
  RecordRange::declare(app, options->range, RecordRange::Unit::transaction);
  app->add_flag("-q,--quiet", options->quiet, "No summary");
  add_recover_option(app, options->recover);
  cli::Tool::examples(
      app,
      "  rtreplay filter incident.rtr --table orders --op insert,update -o orders.rtr\n"
      "  rtreplay filter incident.rtr --table task_run --where 'status = FAILED' -o failed.rtr\n"
      "  rtreplay filter incident.rtr --topic 'chat:*' -o chat.rtr\n"
      "Rows keep their ids. An UPDATE whose row enters what is kept becomes an INSERT, one whose "
      "row\n"
      "leaves it a DELETE.");
}

}  // namespace rt::rtreplay
