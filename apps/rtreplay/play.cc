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
#include "rtreplay/play_sse.h"
#include "rtreplay/play_targets.h"
#include "rtreplay/survey.h"
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
  const Survey found = RT_TRY(survey(options.path));
  const double seconds = source.pace.speed == kMaxSpeed ? 0 : found.span_s() / source.pace.speed;
  std::printf("would play %s rows in %s transactions (largest %s rows) and %s events of %s\n",
              format_count(found.rows).c_str(), format_count(found.transactions).c_str(),
              format_count(found.largest_rows).c_str(), format_count(found.events).c_str(),
              options.path.c_str());
  std::printf(
      "recorded span %.3f s, at %s at most %.3f s\n", found.span_s(),
      source.pace.speed == kMaxSpeed ? "full speed" : fmt::format("{}x", source.pace.speed).c_str(),
      seconds);
  for (const std::string& gap : found.gaps) std::printf("gap: %s\n", gap.c_str());
  std::fflush(stdout);
  if (!found.damages.empty()) return fail(Code::integrity, found.damages.front());
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

Result<void> play_to_sink(const Options& options, ArchiveSourceOptions source_options,
                          const cli::StopWatch& watch) {
  const SystemClock clock;
  io::Wakeup bell = RT_TRY(io::Wakeup::create());
  const std::stop_callback stopped(watch.token(), [&bell] { bell.ring(); });
  const archive::Reader recording = RT_TRY(archive::Reader::open(options.path));
  PlayTarget target = RT_TRY(open_target(options.target, recording.header(), bell.fd(), clock));
  if (target.resume && !source_options.from) {
    source_options.from = ArchiveBound{*target.resume, true};
  }
  ArchiveSource source(source_options, clock);
  Result<void> ran = source.run(watch.token(), [&](RecordBatch& batch) -> Result<void> {
    for (std::size_t i = 0; i < batch.size(); ++i) RT_CHECKED(target.sink->put(batch[i]));
    return target.sink->flush();
  });
  if (ran) ran = target.sink->close();
  const bool called_off = !ran && ran.error().code == Code::cancelled;
  const bool reader_gone = watch.cause() == cli::StopCause::reader_gone ||
                           (called_off && !watch.token().stop_requested());
  if (!options.quiet && !reader_gone) {
    print_summary(source, source.playing_for(clock.now()));
    if (target.report) target.report();
  }
  return called_off || reader_gone ? Result<void>() : ran;  // nobody to tell: an end like any other
}

Result<int> run(const Options& options) {
  ArchiveSourceOptions source = RT_TRY(source_options(options));
  RT_CHECKED(check_target(options.target));
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

}  // namespace

void add_play(cli::Tool& tool) {
  auto options = std::make_shared<Options>();
  CLI::App* app = tool.verb("play", "Play a recording", [options] { return run(*options); });
  app->add_option("ARCHIVE", options->path, "File or directory")->required();
  app->add_option("--to", options->target.to,
                  "Where to: postgresql://.., sse (an embedded server), stdout, null")
      ->type_name("TARGET")
      ->required();
  app->add_option("--speed", options->speed, "1 is as recorded; 0.01 and up, or max")
      ->type_name("FACTOR")
      ->capture_default_str();
  app->add_option("--max-gap", options->max_gap, "Shorten pauses to this (2s)")->type_name("TIME");
  app->add_option("--from", options->from, "First transaction: an event id, an LSN, or a time")
      ->type_name("ID|LSN|TIME");
  app->add_option("--until", options->until, "Last transaction: an event id, an LSN, or a time")
      ->type_name("ID|LSN|TIME");
  app->add_option("--loop", options->loops, "Play this many times; 0 for ever")
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--format", options->target.format, "How rows are printed on stdout")
      ->type_name("ndjson|text")
      ->capture_default_str();
  app->add_option("--listen", options->sse.listen, "Where sse listens")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  app->add_option("--table", options->sse.table, "The table that sse serves")
      ->type_name("NAME")
      ->capture_default_str();
  app->add_option("--await-subscribers", options->sse.await_subscribers,
                  "sse: begin when so many are there")
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--on-conflict", options->target.postgres.on_conflict,
                  "PostgreSQL: a row that is there, or is missing, against what was recorded")
      ->type_name("upsert|fill|skip|error")
      ->capture_default_str();
  app->add_option("--progress-name", options->target.postgres.progress_name,
                  "PostgreSQL: what is played under one name is played once (else the recording's)")
      ->type_name("NAME");
  app->add_flag("--with-triggers", options->target.postgres.with_triggers,
                "PostgreSQL: fire triggers and check foreign keys, as the application does");
  app->add_flag("--i-know", options->target.postgres.i_know,
                "PostgreSQL: even if it is the database that was recorded");
  app->add_flag("--yes", options->target.postgres.yes,
                "Also to a target that is not on this machine");
  app->add_flag("--dry-run", options->dry_run, "Say what would be played");
  app->add_flag("-q,--quiet", options->quiet, "No summary");
  add_recover_option(app, options->recover);
  cli::Tool::examples(app,
                      "  rtreplay play incident.rtr --to stdout --speed 4 --max-gap 2s | jq .new\n"
                      "  rtreplay play runs.rtr --to sse --listen 127.0.0.1:8080 --speed 4 "
                      "--await-subscribers 100\n"
                      "  rtreplay play incident.rtr --to postgresql://127.0.0.1/copy --speed max\n"
                      "  rtreplay play incident.rtr --to null --speed max");
}

}  // namespace rt::rtreplay
