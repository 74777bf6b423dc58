// rtreplay record notify: notifications of PostgreSQL channels into an archive.
#include <memory>
#include <vector>

#include "cli/environment.h"
#include "pg/connection.h"
#include "pg/listen.h"
#include "pipe/notify_source.h"
#include "rtreplay/record_events.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

struct Options {
  std::vector<std::string> channels;
  std::string dsn;
  EventRecording recording;
};

Result<int> run(const Options& options) {
  NotifySourceOptions source_options;
  source_options.dsn =
      options.dsn.empty() ? cli::first_set({"RT_PG", "DATABASE_URL"}) : options.dsn;
  source_options.channels = options.channels;
  source_options.application_name = "rtreplay";
  for (const std::string& channel : options.channels) RT_CHECKED(check_channel_name(channel));
  // A server that cannot be reached leaves no archive behind.
  const Connection probe =
      RT_TRY(Connection::connect(source_options.dsn, {.application_name = "rtreplay"}));

  const auto stream = [&](Recorder& recorder, const Held& held,
                          const std::stop_token& stop) -> Result<void> {
    if (held.resumed) RT_CHECKED(put_break(recorder));
    LinkWatch watch;
    watch.on_retry = [&](const Error& reason, Duration, std::uint32_t) {
      show_retry(reason, options.recording.quiet);
    };
    NotifySource source(source_options, watch);
    return source.run(stop, [&](RecordBatch& batch) { return recorder.take(batch); });
  };
  std::string what = probe.endpoint();
  for (const std::string& channel : options.channels) what += ' ' + channel;
  return record_events(options.recording, "notify", what, stream);
}

}  // namespace

void add_record_notify(cli::Tool& tool, CLI::App* record) {
  auto options = std::make_shared<Options>();
  CLI::App* app = tool.verb(record, "notify", "Record notifications of PostgreSQL channels",
                            [options] { return run(*options); });
  app->add_option("CHANNEL", options->channels, "Names as they stand, capitals too")->required();
  app->add_option("--pg", options->dsn, "Connection string (else RT_PG, DATABASE_URL, PG*)")
      ->type_name("DSN");
  declare_recording(app, options->recording);
  cli::Tool::examples(app,
                      "  rtreplay record notify orders --pg postgresql://localhost/app -o o.rtr\n"
                      "  rtreplay record notify topic_broadcast_{0..127} -o ssepg/ -d 5m");
}

}  // namespace rt::rtreplay
