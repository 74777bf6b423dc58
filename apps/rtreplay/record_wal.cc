// rtreplay record wal: row changes of PostgreSQL into an archive.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/text.h"
#include "base/units.h"
#include "cli/stop_watch.h"
#include "pg/connection.h"
#include "pg/slot.h"
#include "pipe/wal_source.h"
#include "rtreplay/open_archive.h"
#include "rtreplay/recorder.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

struct Options {
  std::string dsn;
  std::string publication = "rt_publication";
  std::string slot = "rtreplay";
  std::string tables;
  std::string archive;
  std::string duration;
  std::string count;
  bool keep_slot = false;
  bool snapshot = false;
  bool quiet = false;
};

Result<ServerIdentity> identify(const std::string& dsn) {
  ConnectOptions connect;
  connect.replication = true;
  connect.application_name = "rtreplay";
  Connection connection = RT_TRY(Connection::connect(dsn, connect));
  return identify_server(connection);
}

Result<WalSourceOptions> source_options(const Options& options, const OpenedArchive& opened,
                                        const ServerIdentity& server) {
  WalSourceOptions source;
  source.dsn = options.dsn;
  source.slot = options.slot;
  source.publication = options.publication;
  if (!options.tables.empty()) {
    for (const std::string_view name : split(options.tables, ',')) {
      source.tables.push_back(RT_TRY(parse_table_name(trim(name))));
    }
  }
  source.temporary = !options.keep_slot;
  source.start_lsn = opened.writer.durable_end_lsn();
  // A recording that has no complete snapshot and no transaction yet starts with one, if asked to.
  source.snapshot =
      options.snapshot && source.start_lsn == 0 ? SnapshotMode::always : SnapshotMode::never;
  source.expected = {server.system_id, server.timeline, source.start_lsn};
  source.application_name = "rtreplay";
  return source;
}

// Between two runs a temporary slot keeps nothing.
Result<void> mark_break(Recorder& recorder, const Options& options, std::uint64_t end_lsn) {
  if (options.keep_slot) return {};
  const SystemClock clock;
  const std::string why = "the recorder was not running, and its slot was temporary";
  std::fprintf(stderr, "rtreplay: warning: a gap is recorded: %s (use --keep-slot)\n", why.c_str());
  return recorder.put({RecordKind::gap, false, end_lsn, unix_us(clock.wall()), why});
}

void show_notice(const WalNotice& notice, bool quiet) {
  if (quiet && notice.kind != WalNotice::Kind::warning) return;
  const char* prefix = notice.kind == WalNotice::Kind::warning ? "warning: " : "";
  std::fprintf(stderr, "rtreplay: %s%s\n", prefix, notice.text.c_str());
}

Result<int> run(Options options) {
  if (options.dsn.empty()) {
    const char* from_environment = std::getenv("RT_PG");
    if (from_environment == nullptr) from_environment = std::getenv("DATABASE_URL");
    if (from_environment != nullptr) options.dsn = from_environment;
  }
  cli::StopWatch::Options watch_options;
  if (!options.duration.empty()) watch_options.time_max = RT_TRY(parse_duration(options.duration));
  RecorderOptions recorder_options;
  if (!options.count.empty()) recorder_options.rows_max = RT_TRY(parse_count(options.count));
  recorder_options.quiet = options.quiet;
  RT_CHECKED(check_slot_name(options.slot));

  const auto watch = RT_TRY(cli::StopWatch::start(watch_options));
  const ServerIdentity server = RT_TRY(identify(options.dsn));
  archive::Origin origin;
  origin.system_identifier = server.system_id;
  origin.timeline = server.timeline;
  origin.server_version = static_cast<std::uint32_t>(server.version);
  origin.consistent_point = server.wal_end;
  origin.notes_json =
      notes_json("wal", fmt::format("database {}, publication {}, slot {}", server.database,
                                    options.publication, options.slot));
  OpenedArchive opened = RT_TRY(open_archive(options.archive, origin));
  const bool breaks = opened.resumed && opened.writer.durable_end_lsn() > 0;
  const std::uint64_t end_lsn = opened.writer.durable_end_lsn();
  WalSource source(
      RT_TRY(source_options(options, opened, server)),
      [quiet = options.quiet](const WalNotice& notice) { show_notice(notice, quiet); });

  std::stop_source stop;
  const std::stop_callback interrupted(watch->token(), [&stop] { stop.request_stop(); });
  Recorder recorder(std::move(opened.writer), recorder_options, stop,
                    [&source](std::uint64_t lsn) { source.confirm(lsn); });
  recorder.show_lag([&source] { return source.lag_bytes(); });
  if (breaks) RT_CHECKED(mark_break(recorder, options, end_lsn));
  const Result<void> ran =
      source.run(stop.get_token(), [&](RecordBatch& batch) { return recorder.take(batch); });
  RT_CHECKED(recorder.finish());
  if (!ran && ran.error().code != Code::cancelled) return fail(ran.error());
  if (watch->cause() == cli::StopCause::interrupted) return watch->signal_status();
  return 0;
}

}  // namespace

void add_record_wal(cli::Tool& tool, CLI::App* record) {
  auto options = std::make_shared<Options>();
  CLI::App* app = tool.verb(record, "wal", "Record row changes of PostgreSQL tables",
                            [options] { return run(*options); });
  app->add_option("--pg", options->dsn, "Connection string (else RT_PG, DATABASE_URL, PG*)")
      ->type_name("DSN");
  app->add_option("--publication", options->publication, "Made for --tables if it is missing")
      ->type_name("NAME")
      ->capture_default_str();
  app->add_option("--slot", options->slot, "Replication slot, made if it is missing")
      ->type_name("NAME")
      ->capture_default_str();
  app->add_flag("--keep-slot", options->keep_slot,
                "Keep the slot: started again, nothing is missed (it pins WAL)");
  app->add_flag("--snapshot", options->snapshot, "First store the rows that are there");
  app->add_option("--tables", options->tables,
                  "a,b,schema.c: tables of a new publication, and of the snapshot")
      ->type_name("NAMES");
  app->add_option("-o,--output", options->archive, "File (.rtr) or directory; goes on if it exists")
      ->type_name("ARCHIVE")
      ->required();
  app->add_option("-d,--duration", options->duration, "Stop after this long (20s, 5m)")
      ->type_name("TIME");
  app->add_option("-n,--count", options->count,
                  "Stop after this many rows, at the end of a transaction")
      ->type_name("N");
  app->add_flag("-q,--quiet", options->quiet, "No progress");
  cli::Tool::examples(
      app,
      "  rtreplay record wal --pg postgresql://localhost/app --tables orders -o orders.rtr\n"
      "  rtreplay record wal --slot incident --keep-slot --snapshot -o incident/");
}

}  // namespace rt::rtreplay
