#include "rtreplay/record_events.h"

#include <cstdio>

#include "archive/bodies.h"
#include "archive/reader.h"
#include "base/units.h"
#include "cli/stop_watch.h"
#include "rtreplay/open_archive.h"

namespace rt::rtreplay {
namespace {

Result<Held> read_held(const std::string& path) {
  archive::Reader reader = RT_TRY(archive::Reader::open(path));
  Held held;
  held.resumed = true;
  archive::Entry entry;
  while (RT_TRY(reader.next(entry))) {
    if (!held.since) held.since = from_unix_us(entry.record.received_us);
    if (entry.record.kind == RecordKind::sse) {
      const auto body = archive::decode_sse(entry.record.body);
      if (body && !body->id.empty()) held.event_id = body->id;
    } else if (entry.record.kind == RecordKind::redis) {
      const auto body = archive::decode_redis(entry.record.body);
      if (body && !body->id.empty()) held.entry_ids[std::string(body->channel)] = body->id;
    }
  }
  return held;
}

}  // namespace

void declare_recording(CLI::App* app, EventRecording& options) {
  app->add_option("-o,--output", options.archive, "File (.rtr) or directory; goes on if it exists")
      ->type_name("ARCHIVE")
      ->required();
  app->add_option("-d,--duration", options.duration, "Stop after this long (20s, 5m)")
      ->type_name("TIME");
  app->add_option("-n,--count", options.count, "Stop after this many events")->type_name("N");
  app->add_flag("-q,--quiet", options.quiet, "No progress");
}

Result<int> record_events(const EventRecording& options, const std::string& kind,
                          const std::string& source, const StreamInto& stream) {
  cli::StopWatch::Options watch_options;
  if (!options.duration.empty()) watch_options.time_max = RT_TRY(parse_duration(options.duration));
  RecorderOptions recorder_options;
  if (!options.count.empty()) recorder_options.rows_max = RT_TRY(parse_count(options.count));
  recorder_options.quiet = options.quiet;
  const auto watch = RT_TRY(cli::StopWatch::start(watch_options));
  archive::Origin origin;
  origin.notes_json = notes_json(kind, source);
  OpenedArchive opened = RT_TRY(open_archive(options.archive, origin));
  Held held;
  if (opened.resumed) held = RT_TRY(read_held(options.archive));

  std::stop_source stop;
  const std::stop_callback interrupted(watch->token(), [&stop] { stop.request_stop(); });
  Recorder recorder(std::move(opened.writer), recorder_options, stop, {});
  const Result<void> ran = stream(recorder, held, stop.get_token());
  RT_CHECKED(recorder.finish());
  if (!ran && ran.error().code != Code::cancelled) return fail(ran.error());
  if (watch->cause() == cli::StopCause::interrupted) return watch->signal_status();
  return 0;
}

Result<void> put_break(Recorder& recorder) {
  const SystemClock clock;
  const std::string_view why = "the recorder was not running";
  std::fprintf(stderr, "rtreplay: warning: a gap is recorded: %s\n", why.data());
  return recorder.put({RecordKind::gap, false, 0, unix_us(clock.wall()), why});
}

void show_retry(const Error& reason, bool quiet) {
  if (!quiet) std::fprintf(stderr, "rtreplay: %s; trying again\n", reason.text.c_str());
}

}  // namespace rt::rtreplay
