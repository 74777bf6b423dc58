// rtreplay record wal: row changes of PostgreSQL into an archive.
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "archive/segment_file.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/stop_watch.h"
#include "pg/connection.h"
#include "pg/slot.h"
#include "pipe/prepared_transactions.h"
#include "pipe/streamed_transactions.h"
#include "pipe/wal_source.h"
#include "rtreplay/open_archive.h"
#include "rtreplay/record_plan.h"
#include "rtreplay/record_storage.h"
#include "rtreplay/recorder.h"
#include "rtreplay/redactor.h"
#include "rtreplay/restore_prepared.h"
#include "rtreplay/slot_watch.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

struct Options {
  std::string dsn;
  std::string publication = "rt_publication";
  std::string slot;
  std::string tables;
  std::string archive;
  StorageFlags storage;
  std::string max_lag;
  std::string drop_slot_over;
  std::vector<std::string> redact;
  std::string redact_key;
  std::string duration;
  std::string count;
  bool keep_slot = false;
  bool snapshot = false;
  bool takeover = false;
  bool streaming = false;
  bool two_phase = false;
  bool quiet = false;
};

Result<Connection> connect(const std::string& dsn) {
  ConnectOptions connect;
  connect.replication = true;
  connect.application_name = "rtreplay";
  return Connection::connect(dsn, connect);
}

Result<WalSourceOptions> source_options(const Options& options) {
  WalSourceOptions source;
  source.dsn = options.dsn;
  source.slot = options.slot;
  source.publication = options.publication;
  if (!options.tables.empty()) {
    for (const std::string_view name : split(options.tables, ',')) {
      source.tables.push_back(RT_TRY(parse_table_name(trim(name))));
    }
  }
  source.takeover = options.takeover;
  source.streaming = options.streaming;
  source.two_phase = options.two_phase;
  source.application_name = "rtreplay";
  return source;
}

Result<SlotLimits> slot_limits(const Options& options) {
  SlotLimits limits;
  if (!options.max_lag.empty()) limits.lag_max = RT_TRY(parse_bytes(options.max_lag));
  if (!options.drop_slot_over.empty()) {
    limits.drop_over = RT_TRY(parse_bytes(options.drop_slot_over));
  }
  return limits;
}

void warn(const std::string& text) {
  std::fprintf(stderr, "rtreplay: warning: %s\n", text.c_str());
}

void show_notice(const WalNotice& notice, bool quiet) {
  if (notice.kind == WalNotice::Kind::warning) return warn(notice.text);
  if (!quiet) std::fprintf(stderr, "rtreplay: %s\n", notice.text.c_str());
}

Result<void> put_text(Recorder& recorder, RecordKind kind, std::uint64_t lsn,
                      const std::string& text) {
  return recorder.put({kind, false, lsn, unix_us(SystemClock().wall()), text});
}

// Where there is room for it, there is for what becomes part of it.
std::string folder_of(const std::string& archive) {
  if (!archive::is_single_file(archive)) return archive;
  const std::filesystem::path folder = std::filesystem::path(archive).parent_path();
  return folder.empty() ? "." : folder.string();
}

// What the watch of the slot has found.
struct SlotVerdict {
  std::atomic<bool> lagged{false};
  std::string drop_reason;  // read after the watch has ended
};

// From connect to the end; the exit status.
class Session {
 public:
  Session(const Options& options, cli::StopWatch& watch) : options_(options), watch_(watch) {}

  Result<int> run() {
    RecorderOptions recorder_options;
    if (!options_.count.empty()) recorder_options.rows_max = RT_TRY(parse_count(options_.count));
    recorder_options.quiet = options_.quiet;
    const SlotLimits limits = RT_TRY(slot_limits(options_));
    WalSourceOptions source_wish = RT_TRY(source_options(options_));
    OpenedArchive opened = RT_TRY(open(source_wish));
    resumed_ = opened.resumed;
    std::optional<Redactor> redactor = RT_TRY(make_redactor());
    PreparedTransactions prepared(folder_of(options_.archive), opened.writer.durable_end_lsn());
    const bool two_phase = source_wish.two_phase;
    if (two_phase && resumed_) RT_CHECKED(restore(prepared));

    WalSource source(std::move(source_wish), [quiet = options_.quiet](const WalNotice& notice) {
      show_notice(notice, quiet);
    });
    std::stop_source stop;
    const std::stop_callback interrupted(watch_.token(), [&stop] { stop.request_stop(); });
    Recorder recorder(std::move(opened.writer), recorder_options, stop,
                      [&source](std::uint64_t lsn) { source.confirm(lsn); });
    recorder.show_lag([&source] { return source.lag_bytes(); });
    if (!plan_.gap.empty()) {
      warn("a gap is recorded: " + plan_.gap + (options_.keep_slot ? "" : " (use --keep-slot)"));
      RT_CHECKED(put_text(recorder, RecordKind::gap, plan_.gap_lsn, plan_.gap));
    }
    auto slot_watch = RT_TRY(watch_slot(limits, recorder, stop));
    const Source::Take store = [&](RecordBatch& batch) { return recorder.take(batch); };
    const Source::Take whole = [&](RecordBatch& batch) {
      return two_phase ? prepared.take(batch, store) : store(batch);
    };
    StreamedTransactions streamed(folder_of(options_.archive));
    const Result<void> ran = source.run(stop.get_token(), [&](RecordBatch& batch) -> Result<void> {
      RecordBatch& clean = redactor ? *RT_TRY(redactor->take(batch)) : batch;
      return options_.streaming ? streamed.take(clean, whole) : whole(clean);
    });
    slot_watch.reset();
    return conclude(recorder, ran);
  }

 private:
  Result<void> restore(PreparedTransactions& prepared) const {
    RT_CHECKED(restore_prepared(options_.archive, prepared));
    if (prepared.waiting() > 0 && !options_.quiet) {
      std::fprintf(stderr, "rtreplay: prepared transactions that wait for their end: %zu\n",
                   prepared.waiting());
    }
    return {};
  }

  // The archive, and what remains to be said of where `source` starts.
  Result<OpenedArchive> open(WalSourceOptions& source) {
    Connection connection = RT_TRY(connect(options_.dsn));
    const ServerIdentity server = RT_TRY(identify_server(connection));
    archive::Origin origin;
    origin.system_identifier = server.system_id;
    origin.timeline = server.timeline;
    origin.server_version = static_cast<std::uint32_t>(server.version);
    origin.consistent_point = server.wal_end;
    origin.notes_json =
        notes_json("wal", fmt::format("database {}, publication {}, slot {}", server.database,
                                      options_.publication, options_.slot));
    const archive::WriterOptions storage =
        RT_TRY(storage_options(options_.storage, options_.archive));
    OpenedArchive opened = RT_TRY(open_archive(options_.archive, origin, storage));
    plan_ = RT_TRY(plan_recording(connection, server, opened,
                                  {options_.keep_slot, options_.snapshot}, source));
    return opened;
  }

  Result<std::optional<Redactor>> make_redactor() const {
    if (options_.redact.empty()) return std::optional<Redactor>();
    std::vector<RedactRule> rules;
    for (const std::string& rule : options_.redact) {
      rules.push_back(RT_TRY(parse_redact_rule(rule)));
    }
    const std::string file =
        options_.redact_key.empty() ? pseudonym_key_file(options_.archive) : options_.redact_key;
    const PseudonymKey key = RT_TRY(PseudonymKey::of_file(file, /*make=*/!resumed_));
    return std::optional<Redactor>(std::in_place, std::move(rules), key,
                                   [](const std::string& text) { warn(text); });
  }

  Result<std::unique_ptr<SlotWatch>> watch_slot(const SlotLimits& limits, Recorder& recorder,
                                                std::stop_source& stop) {
    return SlotWatch::start(options_.dsn, options_.slot, limits,
                            {[](const std::string& text) { warn(text); },
                             [this, &recorder](const std::string& text) {
                               warn(text);
                               verdict_.lagged = true;
                               // If the archive has failed, its own error ends the recording.
                               static_cast<void>(put_text(recorder, RecordKind::mark, 0, text));
                             },
                             [this, &stop](const std::string& text) {
                               verdict_.drop_reason = text;
                               stop.request_stop();
                             }});
  }

  // Says in the archive what is lost for good, and ends.
  Result<int> conclude(Recorder& recorder, const Result<void>& ran) {
    Result<void> end = ran;
    if (!verdict_.drop_reason.empty()) end = drop(verdict_.drop_reason);
    if (!end && end.error().code == Code::integrity && !(plan_.says_gap && recorder.rows() == 0) &&
        (resumed_ || recorder.rows() > 0)) {
      warn("a gap is recorded: " + end.error().text);
      RT_CHECKED(put_text(recorder, RecordKind::gap, recorder.confirmed(), end.error().text));
    }
    RT_CHECKED(recorder.finish());
    if (!end && end.error().code != Code::cancelled) return fail(end.error());
    if (watch_.cause() == cli::StopCause::interrupted) return watch_.signal_status();
    return verdict_.lagged ? exit_status(Code::negative) : 0;
  }

  Result<void> drop(const std::string& reason) {
    Connection connection = RT_TRY(connect(options_.dsn));
    // A temporary one is gone already.
    if (options_.keep_slot) RT_CHECKED(drop_slot(connection, options_.slot));
    return fail(Code::integrity, reason + ": it was dropped, and what follows is missing",
                "start again with --snapshot");
  }

  const Options& options_;
  cli::StopWatch& watch_;
  WalPlan plan_;
  SlotVerdict verdict_;
  bool resumed_ = false;
};

Result<int> run(Options options) {
  if (options.dsn.empty()) {
    const char* from_environment = std::getenv("RT_PG");
    if (from_environment == nullptr) from_environment = std::getenv("DATABASE_URL");
    if (from_environment != nullptr) options.dsn = from_environment;
  }
  if (options.slot.empty()) {  // two recorders side by side must not want the same temporary slot
    options.slot = options.keep_slot ? "rtreplay" : fmt::format("rtreplay_{}", ::getpid());
  }
  RT_CHECKED(check_slot_name(options.slot));
  if (options.takeover && !options.keep_slot) {
    return fail(Code::usage, "--takeover needs --keep-slot: a temporary slot has no other user");
  }
  cli::StopWatch::Options watch_options;
  if (!options.duration.empty()) watch_options.time_max = RT_TRY(parse_duration(options.duration));
  const auto watch = RT_TRY(cli::StopWatch::start(watch_options));
  return Session(options, *watch).run();
}

void add_slot_options(CLI::App* app, Options& options) {
  app->add_option("--slot", options.slot,
                  "Replication slot (rtreplay; temporary: with our process id behind)")
      ->type_name("NAME");
  app->add_flag("--keep-slot", options.keep_slot,
                "Keep the slot: started again, nothing is missed (it pins WAL)");
  app->add_flag("--takeover", options.takeover, "End the connection of whoever uses the slot");
  app->add_option("--max-lag", options.max_lag,
                  "Further behind than this is warned of and marked; exit status 1 at the end")
      ->type_name("SIZE");
  app->add_option("--drop-slot-over", options.drop_slot_over,
                  "Give up and drop the slot when the server keeps more WAL for it; status 6")
      ->type_name("SIZE");
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
  add_slot_options(app, *options);
  app->add_flag("--snapshot", options->snapshot,
                "First store the rows that are there; also after a gap");
  app->add_flag("--streaming", options->streaming,
                "Take large transactions before they commit: spares the server's disk");
  app->add_flag("--two-phase", options->two_phase,
                "Also keep what is prepared, when, and how it ends (PostgreSQL 15)");
  app->add_option("--tables", options->tables,
                  "a,b,schema.c: tables of a new publication, and of the snapshot")
      ->type_name("NAMES");
  app->add_option("-o,--output", options->archive, "File (.rtr) or directory; goes on if it exists")
      ->type_name("ARCHIVE")
      ->required();
  add_storage_options(app, options->storage);
  app->add_option("--redact", options->redact,
                  "/TABLE/COLUMN or message:PREFIX =hash or =drop: never stored in clear")
      ->type_name("PTR=HOW");
  app->add_option("--redact-key", options->redact_key,
                  "Key of the pseudonyms (ARCHIVE.redact-key; made if it is missing)")
      ->type_name("FILE");
  app->add_option("-d,--duration", options->duration, "Stop after this long (20s, 5m)")
      ->type_name("TIME");
  app->add_option("-n,--count", options->count,
                  "Stop after this many rows, at the end of a transaction")
      ->type_name("N");
  app->add_flag("-q,--quiet", options->quiet, "No progress");
  cli::Tool::examples(
      app,
      "  rtreplay record wal --pg postgresql://localhost/app --tables orders -o orders.rtr\n"
      "  rtreplay record wal --slot incident --keep-slot --snapshot -o incident/\n"
      "  rtreplay record wal --keep-slot --rotate 256MiB,1h --drop-slot-over 8GiB -o app/\n"
      "  rtreplay record wal --tables users --redact /users/email=hash -o users.rtr");
}

}  // namespace rt::rtreplay
