// rtreplay play: a recording again, at its own pace or another.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "archive/reader.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/stop_watch.h"
#include "io/wakeup.h"
#include "pipe/archive_source.h"
#include "pipe/archive_span.h"
#include "rtreplay/play_console.h"
#include "rtreplay/play_forecast.h"
#include "rtreplay/play_options.h"
#include "rtreplay/play_progress.h"
#include "rtreplay/play_sse.h"
#include "rtreplay/play_targets.h"
#include "rtreplay/redact_rule.h"
#include "rtreplay/stop_grace.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

// Longer than a database that is well takes for what is under way and for sequences; soon enough
// for somebody who waits for the prompt.
constexpr Duration kFinishMax = std::chrono::seconds(3);

Result<int> dry_run(const PlayOptions& options, const ArchiveSourceOptions& source) {
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
  if (const std::uint64_t skipped = progress.late_skipped.load(); skipped > 0) {
    line += fmt::format(", {} left out as too late", format_count(skipped));
  }
  if (source.stretched() > Duration::zero()) {
    line += fmt::format(", stretched by {}", format_duration(source.stretched()));
  }
  std::fprintf(stderr, "rtreplay: %s\n", line.c_str());
}

// Where nobody is there to go on from it, a break is the end.
void say_break(const ArchiveSource& source) {
  if (!source.broke_at()) return;
  std::fprintf(stderr, "rtreplay: ended before %s, where --break says (go on with --from)\n",
               source.broke_at()->text().c_str());
}

// A replay that ran behind its schedule is no replay at that pace.
Result<void> check_lateness(const ArchiveSource& source, const PlayOptions& options) {
  if (options.max_late.empty() || !source.pacer().paced()) return {};
  const Duration allowed = RT_TRY(parse_duration(options.max_late));
  const Duration late = source.pacer().lateness().quantile(0.99);
  if (late <= allowed) return {};
  return fail(Code::invalid, fmt::format("the replay ran late: p99 {}, at most {} is allowed",
                                         format_duration(late), format_duration(allowed)));
}

Result<PlayTransform> open_transform(const PlayOptions& options, archive::Reader& recording,
                                     const ArchiveSpan& span, const Clock& clock) {
  TransformOptions transform = options.transform;
  if (transform.key_file.empty()) transform.key_file = pseudonym_key_file(options.path);
  return PlayTransform::open(transform, recording, span.first_us, clock);
}

Result<void> play_to_sink(const PlayOptions& options, ArchiveSourceOptions source_options,
                          const cli::StopWatch& watch, PlayConsole* console) {
  const SystemClock clock;
  io::Wakeup bell = RT_TRY(io::Wakeup::create());
  // A database is told to commit what it has and to set its sequences.
  const bool finishes = RT_TRY(target_kind(options.target.to)) == TargetKind::postgres;
  const StopGrace grace(watch.token(), bell, finishes ? kFinishMax : Duration::zero());
  archive::Reader recording = RT_TRY(archive::Reader::open(options.path));
  const ArchiveSpan span = find_span(recording).value_or(ArchiveSpan{});
  PlayTransform transform = RT_TRY(open_transform(options, recording, span, clock));
  TargetOptions target_options = options.target;
  // Played under other names, or with other values, it is another play.
  for (const auto* words : {&options.transform.rewrites, &options.transform.maps}) {
    for (const std::string& word : *words) target_options.postgres.variant += "_" + word;
  }
  PlayTarget target = RT_TRY(open_target(target_options, recording.header(), bell.fd(), clock));
  source_options.resume = target.resume;
  PlayProgress progress(span, source_options.pace.speed, options.quiet || console != nullptr);
  if (console != nullptr) console->start(span);
  ArchiveSource source(source_options, clock);
  const bool as_recorded = transform.empty();
  Result<void> ran = source.run(watch.token(), [&](RecordBatch& batch) -> Result<void> {
    std::unique_lock<std::mutex> quiet;
    if (console != nullptr && target.prints) quiet = console->quiet();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (as_recorded) {
        RT_CHECKED(target.sink->put(batch[i]));
        continue;
      }
      const RecordView record = RT_TRY(transform.apply(batch[i]));
      RT_CHECKED(target.sink->put(record));
    }
    progress.show(source, clock.now());
    return target.sink->flush();
  });
  progress.clear();
  if (console != nullptr) console->stop();
  if (ran) ran = target.sink->close();
  const bool called_off = !ran && ran.error().code == Code::cancelled;
  const bool reader_gone = watch.cause() == cli::StopCause::reader_gone ||
                           (called_off && !watch.token().stop_requested());
  if (!options.quiet && !reader_gone) {
    say_break(source);
    print_summary(source, source.playing_for(clock.now()));
    if (target.report) target.report();
    transform.report();
  }
  if (called_off || reader_gone) return {};  // nobody to tell: an end like any other
  RT_CHECKED(ran);
  return check_lateness(source, options);
}

Result<void> play_to_server(const PlayOptions& options, ArchiveSourceOptions source_options,
                            const cli::StopWatch& watch, PlayConsole* console) {
  const SystemClock clock;
  archive::Reader recording = RT_TRY(archive::Reader::open(options.path));
  const ArchiveSpan span = find_span(recording).value_or(ArchiveSpan{});
  PlayTransform transform = RT_TRY(open_transform(options, recording, span, clock));
  if (console != nullptr) console->start(span);
  return play_to_sse(std::move(source_options), options.sse, transform, watch.token(),
                     [&](const ArchiveSource& played) {
                       if (console != nullptr) console->stop();
                       if (options.quiet) return;
                       say_break(played);
                       print_summary(played, played.playing_for(clock.now()));
                       transform.report();
                     });
}

// What a target can do decides what one can do with a replay into it.
Result<void> fit_to_target(TargetKind kind, ArchiveSourceOptions& source) {
  const bool whole = kind == TargetKind::postgres || kind == TargetKind::sse;
  source.target_keeps_state = whole;
  source.target_takes_rows = !whole;
  if (!whole || source.late != LatePolicy::skip) return {};
  return fail(Code::usage, "--late skip leaves rows out, which this target would lack for ever",
              "--late stretch lets the rest come later");
}

Result<int> run(const PlayOptions& options) {
  ArchiveSourceOptions source = RT_TRY(options.source());
  RT_CHECKED(check_target(options.target));
  if (!options.max_late.empty()) RT_TRY(parse_duration(options.max_late));
  RT_CHECKED(PlayTransform::check(options.transform));
  const TargetKind kind = RT_TRY(target_kind(options.target.to));
  if (kind == TargetKind::postgres && options.transform.ids == "fresh") {
    return fail(Code::usage,
                "--ids fresh is for targets that carry ids: a database counts the recording's, so "
                "that nothing is applied twice",
                "--progress-name applies it once more");
  }
  RT_CHECKED(fit_to_target(kind, source));
  if (options.dry_run) return dry_run(options, source);
  RT_TRY(archive::Reader::open(options.path));  // a missing file before anything else
  const SystemClock clock;
  std::unique_ptr<PlayConsole> console;
  if (!options.quiet && !options.no_keys) console = RT_TRY(PlayConsole::open(clock));
  if (console != nullptr) {
    source.control = &console->control();
    source.control->tell({.speed = source.pace.speed});
  }
  cli::StopWatch::Options watch_options;
  watch_options.watch_output = kind == TargetKind::out;
  const auto watch = RT_TRY(cli::StopWatch::start(watch_options));
  RT_CHECKED(kind == TargetKind::sse
                 ? play_to_server(options, std::move(source), *watch, console.get())
                 : play_to_sink(options, std::move(source), *watch, console.get()));
  if (watch->cause() == cli::StopCause::interrupted) return watch->signal_status();
  return 0;
}

}  // namespace

void add_play(cli::Tool& tool) {
  auto options = std::make_shared<PlayOptions>();
  CLI::App* app = tool.verb("play", "Play a recording", [options] { return run(*options); });
  options->declare(app);
  cli::Tool::examples(
      app,
      "  rtreplay play incident.rtr --to stdout --speed 4 --max-gap 2s | jq .new\n"
      "  rtreplay play runs.rtr --to sse --listen 127.0.0.1:8080 --speed 4 "
      "--await-subscribers 100\n"
      "  rtreplay play incident.rtr --to postgresql://127.0.0.1/copy --speed max\n"
      "  rtreplay play incident.rtr --to postgresql://127.0.0.1/copy --break 'orders.status = "
      "failed'\n"
      "  rtreplay play incident.rtr --to null --speed max\n"
      "At a terminal keys steer it: space pauses, s steps, + and - change the speed, g goes "
      "forward, ? tells more.");
}

}  // namespace rt::rtreplay
