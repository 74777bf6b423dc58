// rtreplay verify: is every byte of a recording what was written, and did subscribers receive it?
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "archive/reader.h"
#include "base/units.h"
#include "proto/pgoutput.h"
#include "rtreplay/verbs.h"
#include "rtreplay/verify_received.h"

namespace rt::rtreplay {
namespace {

Result<int> run(const std::string& path) {
  archive::ReadOptions options;
  options.on_damage = archive::OnDamage::salvage;
  options.use_index = false;  // the headers themselves are checked
  archive::Reader reader = RT_TRY(archive::Reader::open(path, options));
  archive::Entry entry;
  std::uint64_t records = 0;
  std::uint64_t rows = 0;
  std::uint64_t undecodable = 0;
  while (RT_TRY(reader.next(entry))) {
    ++records;
    if (entry.record.kind != RecordKind::wal) continue;
    if (!entry.record.prelude) rows += archive::row_changes(entry.record.body);
    if (!pgoutput::decode(entry.record.body)) ++undecodable;
  }
  for (const std::string& text : reader.skipped()) std::printf("damaged: %s\n", text.c_str());
  if (undecodable > 0) {
    std::printf("damaged: %s messages of PostgreSQL are malformed\n",
                format_count(undecodable).c_str());
  }
  const bool closed = reader.segment(reader.segment_count() - 1).footer.has_value();
  std::printf("%s: %zu segments, %zu blocks, %s records, %s rows readable%s\n", path.c_str(),
              reader.segment_count(), reader.block_count(), format_count(records).c_str(),
              format_count(rows).c_str(), closed ? "" : "; not closed by its recorder");
  std::fflush(stdout);
  if (!reader.skipped().empty()) return fail(Code::integrity, reader.skipped().front());
  if (undecodable > 0) {
    return fail(Code::integrity, fmt::format("{} holds {} malformed messages", path, undecodable));
  }
  return 0;
}

}  // namespace

void add_verify(cli::Tool& tool) {
  struct Options {
    std::string path;
    ReceivedOptions received;
  };
  auto options = std::make_shared<Options>();
  CLI::App* app =
      tool.verb("verify", "Check every checksum of a recording, or what subscribers received of it",
                [options]() -> Result<int> {
                  if (options->received.logs.empty()) return run(options->path);
                  return verify_received(options->path, options->received);
                });
  app->add_option("ARCHIVE", options->path, "File or directory")->required();
  declare_received(app, options->received);
  cli::Tool::examples(
      app,
      "  rtreplay verify incident.rtr && echo sound\n"
      "  rtreplay verify incident.rtr --received phone.ndjson --received laptop.ndjson --env prod\n"
      "exit status: 0 sound, and every subscriber has everything; 1 nothing is wrong, but a\n"
      "subscriber's log ends before the recording does; 6 the recording is damaged, or a "
      "subscriber\n"
      "has events missing, double, never sent, out of order, torn or with another content");
}

}  // namespace rt::rtreplay
