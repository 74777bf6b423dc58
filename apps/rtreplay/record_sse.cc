// rtreplay record sse: a server-sent event stream into an archive.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "archive/bodies.h"
#include "base/units.h"
#include "cli/stop_watch.h"
#include "http/sse_client.h"
#include "rtreplay/open_archive.h"
#include "rtreplay/recorder.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

struct Options {
  std::string url;
  std::string archive;
  std::string duration;
  std::string count;
  std::string last_event_id;
  bool quiet = false;
};

class SseRecorder final : public SseHandler {
 public:
  SseRecorder(Recorder& recorder, bool quiet) : recorder_(recorder), quiet_(quiet) {}

  bool on_event(const sse::EventView& event) override {
    body_.clear();
    archive::encode(body_, archive::SseBody{event.id, event.event, event.data});
    return put(RecordKind::sse, body_);
  }
  void on_gap(std::string_view reason) override { put(RecordKind::gap, reason); }
  void on_retry(const SseRetry& retry) override {
    if (!quiet_) std::fprintf(stderr, "rtreplay: %s; trying again\n", retry.reason.text.c_str());
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  bool put(RecordKind kind, std::string_view body) {
    if (const auto done = recorder_.put({kind, false, 0, unix_us(clock_.wall()), body}); !done) {
      error_ = done.error();
    }
    return !error_;
  }

  Recorder& recorder_;
  bool quiet_;
  SystemClock clock_;
  std::string body_;
  std::optional<Error> error_;
};

Result<int> run(const Options& options) {
  cli::StopWatch::Options watch_options;
  if (!options.duration.empty()) watch_options.time_max = RT_TRY(parse_duration(options.duration));
  RecorderOptions recorder_options;
  if (!options.count.empty()) recorder_options.rows_max = RT_TRY(parse_count(options.count));
  recorder_options.quiet = options.quiet;
  const auto watch = RT_TRY(cli::StopWatch::start(watch_options));
  archive::Origin origin;
  origin.notes_json = notes_json("sse", options.url.substr(0, options.url.find('?')));
  OpenedArchive opened = RT_TRY(open_archive(options.archive, origin));

  std::stop_source stop;
  const std::stop_callback interrupted(watch->token(), [&stop] { stop.request_stop(); });
  Recorder recorder(std::move(opened.writer), recorder_options, stop, {});
  SseRecorder handler(recorder, options.quiet);
  SseOptions sse;
  sse.last_event_id = options.last_event_id;
  const Result<SseEnd> ran = subscribe(options.url, sse, handler, stop.get_token());
  RT_CHECKED(recorder.finish());
  if (handler.error()) return fail(*handler.error());
  if (!ran && ran.error().code != Code::cancelled) return fail(ran.error());
  if (watch->cause() == cli::StopCause::interrupted) return watch->signal_status();
  return 0;
}

}  // namespace

void add_record_sse(cli::Tool& tool, CLI::App* record) {
  auto options = std::make_shared<Options>();
  CLI::App* app = tool.verb(record, "sse", "Record a server-sent event stream",
                            [options] { return run(*options); });
  app->add_option("URL", options->url, "The stream")->required();
  app->add_option("-o,--output", options->archive, "File (.rtr) or directory; goes on if it exists")
      ->type_name("ARCHIVE")
      ->required();
  app->add_option("-d,--duration", options->duration, "Stop after this long (20s, 5m)")
      ->type_name("TIME");
  app->add_option("-n,--count", options->count, "Stop after this many events")->type_name("N");
  app->add_option("--last-event-id", options->last_event_id, "Resume after this event")
      ->type_name("ID");
  app->add_flag("-q,--quiet", options->quiet, "No progress");
  cli::Tool::examples(
      app, "  rtreplay record sse http://127.0.0.1:8080/v1/runs/stream -o runs.rtr -d 1m");
}

}  // namespace rt::rtreplay
