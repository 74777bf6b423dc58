// rtreplay play: a recording again, at its own pace or another.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <memory>

#include "archive/reader.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/stop_watch.h"
#include "io/wakeup.h"
#include "pipe/archive_source.h"
#include "pipe/table_map.h"
#include "rtreplay/play_forecast.h"
#include "rtreplay/play_progress.h"
#include "rtreplay/play_sse.h"
#include "rtreplay/play_targets.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

struct Options {
  std::string path;
  TargetOptions target;
  std::string speed = "1";
  std::string max_gap;
  std::string from;
  std::string until;
  std::string max_late;
  std::vector<std::string> maps;
  std::string recover;
  SseTarget sse;
  std::uint32_t loops = 1;
  bool dry_run = false;
  bool quiet = false;
};

Result<double> parse_speed(const std::string& text) {
  if (text == "max") return kMaxSpeed;
  char* end = nullptr;
  const double speed = std::strtod(text.c_str(), &end);
  const std::string_view rest = end;
  if (end == text.c_str() || (!rest.empty() && rest != "x") || !std::isfinite(speed) ||
      speed < 0.01) {
    return fail(Code::usage, fmt::format("\"{}\" is no speed", text),
                "a number from 0.01 up (4, 0.5), or max");
  }
  return speed;
}

Result<ArchiveSourceOptions> source_options(const Options& options) {
  ArchiveSourceOptions source;
  source.path = options.path;
  source.pace.speed = RT_TRY(parse_speed(options.speed));
  if (!options.max_gap.empty()) source.pace.max_gap = RT_TRY(parse_duration(options.max_gap));
  if (!options.from.empty()) source.from = RT_TRY(ArchiveBound::parse(options.from));
  if (!options.until.empty()) source.to = RT_TRY(ArchiveBound::parse(options.until));
  source.loops = options.loops;
  source.on_damage = RT_TRY(parse_on_damage(options.recover));
  return source;
}

Result<int> dry_run(const Options& options, const ArchiveSourceOptions& source) {
  const Forecast found = RT_TRY(forecast(source));
  std::fputs(forecast_text(found, options.path, source.pace.speed).c_str(), stdout);
  std::fflush(stdout);
  return 0;
}

void print_summary(const ArchiveSource& source, Duration took) {
  const auto& progress = source.progress();
  const double seconds = std::max(1e-9, std::chrono::duration<double>(took).count());
  const std::uint64_t rows = progress.rows.load();
  std::string line = fmt::format(
      "played {} rows in {} transactions ({} records) in {}: {:.0f} rows/s", format_count(rows),
      format_count(progress.transactions.load()), format_count(progress.records.load()),
      format_duration(took), static_cast<double>(rows) / seconds);
  const Pacer& pacer = source.pacer();
  line += fmt::format(", replay ratio {:.2f}",
                      std::chrono::duration<double>(pacer.recorded()).count() / seconds);
  if (pacer.paced()) {
    const LatenessHistogram& late = pacer.lateness();
    line += fmt::format(", late p50 {} p99 {} max {}", format_duration(late.quantile(0.5)),
                        format_duration(late.quantile(0.99)), format_duration(late.max()));
  }
  std::fprintf(stderr, "rtreplay: %s\n", line.c_str());
}

// A replay that ran behind its schedule is no replay at that pace.
Result<void> check_lateness(const ArchiveSource& source, const Options& options) {
  if (options.max_late.empty() || !source.pacer().paced()) return {};
  const Duration allowed = RT_TRY(parse_duration(options.max_late));
  const Duration late = source.pacer().lateness().quantile(0.99);
  if (late <= allowed) return {};
  return fail(Code::invalid, fmt::format("the replay ran late: p99 {}, at most {} is allowed",
                                         format_duration(late), format_duration(allowed)));
}

Result<void> play_to_sink(const Options& options, ArchiveSourceOptions source_options,
                          const cli::StopWatch& watch) {
  const SystemClock clock;
  io::Wakeup bell = RT_TRY(io::Wakeup::create());
  const std::stop_callback stopped(watch.token(), [&bell] { bell.ring(); });
  const archive::Reader recording = RT_TRY(archive::Reader::open(options.path));
  TargetOptions target_options = options.target;
  // Played under other names it is another play.
  for (const std::string& map : options.maps) target_options.postgres.variant += "_" + map;
  PlayTarget target = RT_TRY(open_target(target_options, recording.header(), bell.fd(), clock));
  if (target.resume && !source_options.from) {
    source_options.from = ArchiveBound{*target.resume, true};
  }
  TableMap map = RT_TRY(TableMap::parse(options.maps));
  PlayProgress progress(recording, source_options.pace.speed, options.quiet);
  ArchiveSource source(source_options, clock);
  Result<void> ran = source.run(watch.token(), [&](RecordBatch& batch) -> Result<void> {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      RT_CHECKED(target.sink->put(map.apply(batch[i])));
    }
    progress.show(source, clock.now());
    return target.sink->flush();
  });
  progress.clear();
  if (ran) ran = target.sink->close();
  const bool called_off = !ran && ran.error().code == Code::cancelled;
  const bool reader_gone = watch.cause() == cli::StopCause::reader_gone ||
                           (called_off && !watch.token().stop_requested());
  if (!options.quiet && !reader_gone) {
    print_summary(source, source.playing_for(clock.now()));
    if (target.report) target.report();
  }
  if (called_off || reader_gone) return {};  // nobody to tell: an end like any other
  RT_CHECKED(ran);
  return check_lateness(source, options);
}

Result<int> run(const Options& options) {
  ArchiveSourceOptions source = RT_TRY(source_options(options));
  RT_CHECKED(check_target(options.target));
  if (!options.max_late.empty()) RT_TRY(parse_duration(options.max_late));
  RT_TRY(TableMap::parse(options.maps));
  if (options.dry_run) return dry_run(options, source);
  RT_TRY(archive::Reader::open(options.path));  // a missing file before anything else
  const TargetKind kind = RT_TRY(target_kind(options.target.to));
  cli::StopWatch::Options watch_options;
  watch_options.watch_output = kind == TargetKind::out;
  const auto watch = RT_TRY(cli::StopWatch::start(watch_options));
  Result<void> ran;
  if (kind == TargetKind::sse) {
    const SystemClock clock;
    ran = play_to_sse(std::move(source), options.sse, watch->token(),
                      [&](const ArchiveSource& played) {
                        if (!options.quiet) print_summary(played, played.playing_for(clock.now()));
                      });
  } else {
    ran = play_to_sink(options, std::move(source), *watch);
  }
  if (!ran) return fail(std::move(ran).error());
  if (watch->cause() == cli::StopCause::interrupted) return watch->signal_status();
  return 0;
}

void declare_pace(CLI::App* app, Options& options) {
  app->add_option("--speed", options.speed, "1 is as recorded; 0.01 and up, or max")
      ->type_name("FACTOR")
      ->capture_default_str();
  app->add_option("--max-gap", options.max_gap, "Shorten pauses to this (2s)")->type_name("TIME");
  app->add_option("--from", options.from, "First transaction: an event id, an LSN, or a time")
      ->type_name("ID|LSN|TIME");
  app->add_option("--until", options.until, "Last transaction: an event id, an LSN, or a time")
      ->type_name("ID|LSN|TIME");
  app->add_option("--loop", options.loops, "Play this many times; 0 for ever")
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--max-late", options.max_late, "Exit 7 if the p99 of lateness is above (2ms)")
      ->type_name("TIME");
  app->add_option("--map", options.maps, "Play one table as another (repeatable; not for sse)")
      ->type_name("FROM=TO")
      ->allow_extra_args(false);
  app->add_flag("--dry-run", options.dry_run, "Say what would be played");
  app->add_flag("-q,--quiet", options.quiet, "No summary");
  add_recover_option(app, options.recover);
}

void declare_target(CLI::App* app, Options& options) {
  app->add_option("--format", options.target.format, "How rows are printed on stdout")
      ->type_name("ndjson|text")
      ->capture_default_str();
  app->add_option("--listen", options.sse.listen, "Where sse listens")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  app->add_option("--table", options.sse.table, "The table that sse serves")
      ->type_name("NAME")
      ->capture_default_str();
  app->add_option("--await-subscribers", options.sse.await_subscribers,
                  "sse: begin when so many are there")
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--pg", options.target.messages.pg, "notify: the database (else PG*)")
      ->type_name("DSN");
  app->add_option("--channel", options.target.messages.channel,
                  "notify, redis: where rows are published (rtreplay)")
      ->type_name("NAME");
  app->add_option("--to-stream", options.target.messages.stream,
                  "redis: append rows to this stream")
      ->type_name("KEY");
  app->add_option("--on-conflict", options.target.postgres.on_conflict,
                  "PostgreSQL: a row that is there, or is missing, against what was recorded")
      ->type_name("upsert|fill|skip|error")
      ->capture_default_str();
  app->add_option("--progress-name", options.target.postgres.progress_name,
                  "PostgreSQL: under one name it is played once (else the recording's)")
      ->type_name("NAME");
  app->add_flag("--with-triggers", options.target.postgres.with_triggers,
                "PostgreSQL: fire triggers and check foreign keys, as the application does");
  app->add_flag("--i-know", options.target.postgres.i_know,
                "PostgreSQL: even if it is the database that was recorded");
  app->add_flag("--yes", options.target.yes, "Also to a target that is not on this machine");
}

}  // namespace

void add_play(cli::Tool& tool) {
  auto options = std::make_shared<Options>();
  CLI::App* app = tool.verb("play", "Play a recording", [options] { return run(*options); });
  app->add_option("ARCHIVE", options->path, "File or directory")->required();
  app->add_option("--to", options->target.to,
                  "postgresql://.., http://.., redis://.., notify, sse, stdout, null")
      ->type_name("TARGET")
      ->required();
  declare_pace(app, *options);
  declare_target(app, *options);
  cli::Tool::examples(app,
                      "  rtreplay play incident.rtr --to stdout --speed 4 --max-gap 2s | jq .new\n"
                      "  rtreplay play runs.rtr --to sse --listen 127.0.0.1:8080 --speed 4 "
                      "--await-subscribers 100\n"
                      "  rtreplay play incident.rtr --to postgresql://127.0.0.1/copy --speed max\n"
                      "  rtreplay play incident.rtr --to null --speed max");
}

}  // namespace rt::rtreplay
