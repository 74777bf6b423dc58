// rtreplay record sse: a server-sent event stream into an archive.
#include <memory>
#include <optional>

#include "archive/bodies.h"
#include "http/sse_client.h"
#include "rtreplay/record_events.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

struct Options {
  std::string url;
  std::string last_event_id;
  EventRecording recording;
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
  void on_retry(const SseRetry& retry) override { show_retry(retry.reason, quiet_); }
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
  const auto stream = [&](Recorder& recorder, const Held& held,
                          const std::stop_token& stop) -> Result<void> {
    SseOptions sse;
    sse.last_event_id = options.last_event_id.empty() ? held.event_id : options.last_event_id;
    if (held.resumed && sse.last_event_id.empty()) RT_CHECKED(put_break(recorder));
    SseRecorder handler(recorder, options.recording.quiet);
    const Result<SseEnd> ran = subscribe(options.url, sse, handler, stop);
    if (handler.error()) return fail(*handler.error());
    return ran ? Result<void>() : fail(ran.error());
  };
  return record_events(options.recording, "sse", options.url.substr(0, options.url.find('?')),
                       stream);
}

}  // namespace

void add_record_sse(cli::Tool& tool, CLI::App* record) {
  auto options = std::make_shared<Options>();
  CLI::App* app = tool.verb(record, "sse", "Record a server-sent event stream",
                            [options] { return run(*options); });
  app->add_option("URL", options->url, "The stream")->required();
  declare_recording(app, options->recording);
  app->add_option("--last-event-id", options->last_event_id,
                  "Resume after this event (else after the last in the archive)")
      ->type_name("ID");
  cli::Tool::examples(
      app, "  rtreplay record sse http://127.0.0.1:8080/v1/runs/stream -o runs.rtr -d 1m");
}

}  // namespace rt::rtreplay
