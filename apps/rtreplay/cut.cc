// rtreplay cut: a part of a recording as a recording of its own.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "archive/reader.h"
#include "rtreplay/record_range.h"
#include "rtreplay/rewriter.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

struct Options {
  std::string path;
  std::string output;
  RecordRange::Options range;
  std::string recover;
  bool snapshot = false;
  bool quiet = false;
};

bool is_of_snapshot(RecordKind kind) {
  return kind == RecordKind::snapshot_begin || kind == RecordKind::snapshot_row ||
         kind == RecordKind::snapshot_end;
}

// Copies the snapshots before the first transaction. True if there is one.
Result<bool> copy_snapshot(archive::Reader& reader, Rewriter& out, StreamSchema& schema) {
  RT_CHECKED(reader.rewind());
  archive::Entry entry;
  bool found = false;
  while (RT_TRY(reader.next(entry))) {
    const char letter = archive::wal_letter(entry.record.body);
    if (entry.record.kind == RecordKind::wal) {
      if (!entry.record.prelude && letter == 'B') break;
      schema.learn(entry.record);
    } else if (is_of_snapshot(entry.record.kind)) {
      found = true;
      RT_CHECKED(out.pass(entry, schema));
    }
  }
  return found;
}

// Whether transactions stand between the start of the recording and the part that is kept.
Result<bool> skips_transactions(archive::Reader& reader, const RecordRange& range) {
  if (!range.has_from()) return false;
  RT_CHECKED(range.seek(reader));
  archive::Entry entry;
  while (RT_TRY(reader.next(entry)) && entry.record.prelude) {
  }
  return reader.tracker().last_commit_lsn() != 0;
}

Result<Rewriter> create(const Options& options, archive::Reader& reader, const RecordRange& range) {
  archive::Origin origin = reader.header().origin;
  origin.notes_json = derived_notes(origin.notes_json, "cut", options.path);
  if (RT_TRY(skips_transactions(reader, range)) && !options.snapshot) {
    origin.consistent_point = std::max(origin.consistent_point, reader.tracker().end_lsn());
  }
  return Rewriter::create(options.output, origin);
}

Result<int> run(const Options& options) {
  const RecordRange range =
      RT_TRY(RecordRange::parse(options.range, RecordRange::Unit::transaction));
  archive::ReadOptions read;
  read.committed_only = true;
  read.on_damage = RT_TRY(parse_on_damage(options.recover));
  archive::Reader reader = RT_TRY(archive::Reader::open(options.path, read));
  Rewriter out = RT_TRY(create(options, reader, range));
  StreamSchema schema;
  if (options.snapshot) {
    const bool skips = RT_TRY(skips_transactions(reader, range));
    if (RT_TRY(copy_snapshot(reader, out, schema)) && skips) {
      RT_CHECKED(out.gap("cut: the transactions between the snapshot and this place"));
      std::fprintf(stderr,
                   "rtreplay: warning: transactions between the snapshot and --from are left out; "
                   "a gap is recorded\n");
    }
  }
  RT_CHECKED(range.seek(reader));
  archive::Entry entry;
  while (RT_TRY(reader.next(entry)) && !range.is_past(entry)) {
    if (entry.record.kind == RecordKind::wal) schema.learn(entry.record);
    const bool first = entry.position.lsn == 0;  // copied already
    if (is_of_snapshot(entry.record.kind) && (first || !options.snapshot)) continue;
    RT_CHECKED(out.pass(entry, schema));
  }
  RT_CHECKED(out.finish());
  for (const std::string& text : reader.skipped()) {
    std::fprintf(stderr, "rtreplay: warning: %s\n", text.c_str());
  }
  if (!options.quiet) {
    std::fprintf(stderr, "rtreplay: wrote %s: %s\n", options.output.c_str(), out.summary().c_str());
  }
  return 0;
}

}  // namespace

void add_cut(cli::Tool& tool) {
  auto options = std::make_shared<Options>();
  CLI::App* app = tool.verb("cut", "Copy a part of a recording, whole transactions",
                            [options] { return run(*options); });
  app->add_option("ARCHIVE", options->path, "File or directory")->required();
  app->add_option("-o,--output", options->output,
                  "The new recording: a file if it ends in .rtr, else a directory")
      ->type_name("ARCHIVE")
      ->required();
  RecordRange::declare(app, options->range, RecordRange::Unit::transaction);
  app->add_flag("--snapshot", options->snapshot,
                "Keep the snapshot that the recording begins with");
  app->add_flag("-q,--quiet", options->quiet, "No summary");
  add_recover_option(app, options->recover);
  cli::Tool::examples(app,
                      "  rtreplay cut incident.rtr --from 2026-03-29T00:30:00Z --to "
                      "2026-03-29T00:31:00Z -o minute.rtr\n"
                      "  rtreplay cut broken.rtr --recover salvage -o readable.rtr");
}

}  // namespace rt::rtreplay
