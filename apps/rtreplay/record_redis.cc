// rtreplay record redis: published messages, or entries of streams, into an archive.
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "base/text.h"
#include "cli/environment.h"
#include "pipe/redis_source.h"
#include "pipe/redis_stream_source.h"
#include "rtreplay/record_events.h"
#include "rtreplay/verbs.h"

namespace rt::rtreplay {
namespace {

struct Options {
  std::vector<std::string> names;
  std::string url;
  std::string since = "end";
  bool streams = false;
  EventRecording recording;
};

LinkWatch watch_of(const Options& options) {
  LinkWatch watch;
  watch.on_retry = [quiet = options.recording.quiet](const Error& reason, Duration, std::uint32_t) {
    show_retry(reason, quiet);
  };
  return watch;
}

Result<RedisStreamBegin> parse_since(const std::string& text) {
  RedisStreamBegin begin;
  if (text == "end") return begin;
  begin.at = RedisStreamBegin::At::begin;
  if (text == "begin") return begin;
  const auto id = RedisEntryId::parse(text);
  if (!id) {
    return fail(Code::usage, fmt::format("--since {} is neither begin, end, nor an id", text),
                "ids look like 1526919030474-55");
  }
  return RedisStreamBegin{RedisStreamBegin::At::after, {*id}, {}, 0};
}

// After the last entry of each stream in the archive. One that has none there is read from the time
// when the recording began.
RedisStreamBegin after_held(const std::vector<std::string>& keys, const Held& held) {
  RedisStreamBegin begin;
  begin.at = RedisStreamBegin::At::after;
  const std::int64_t since_ms =
      held.since ? std::max<std::int64_t>(unix_us(*held.since), 0) / 1000 : 0;
  for (const std::string& key : keys) {
    const auto found = held.entry_ids.find(key);
    const auto id =
        found == held.entry_ids.end() ? std::nullopt : RedisEntryId::parse(found->second);
    begin.after.push_back(
        id.value_or(RedisEntryId{static_cast<std::uint64_t>(since_ms), 0}.before()));
  }
  return begin;
}

Result<int> run(const Options& options) {
  std::string url = options.url.empty() ? cli::first_set({"RT_REDIS", "REDIS_URL"}) : options.url;
  if (url.empty()) url = "redis://127.0.0.1:6379";
  const RedisAddress address = RT_TRY(parse_redis_url(url));
  const RedisStreamBegin begin = RT_TRY(parse_since(options.since));
  // A server that cannot be reached leaves no archive behind.
  RT_TRY(RedisConnection::connect(address, {.client_name = "rtreplay"}));

  const auto stream = [&](Recorder& recorder, const Held& held,
                          const std::stop_token& stop) -> Result<void> {
    const auto take = [&](RecordBatch& batch) { return recorder.take(batch); };
    if (options.streams) {
      const bool goes_on = held.resumed && held.since;
      RedisStreamSource source({address,
                                options.names,
                                goes_on ? after_held(options.names, held) : begin,
                                {},
                                "rtreplay"},
                               watch_of(options));
      return source.run(stop, take);
    }
    if (held.resumed) RT_CHECKED(put_break(recorder));
    RedisSource source({address, options.names, {}, "rtreplay"}, watch_of(options));
    return source.run(stop, take);
  };
  std::string what = address.text();
  for (const std::string& name : options.names) what += ' ' + name;
  return record_events(options.recording, options.streams ? "redis stream" : "redis", what, stream);
}

}  // namespace

void add_record_redis(cli::Tool& tool, CLI::App* record) {
  auto options = std::make_shared<Options>();
  CLI::App* app = tool.verb(record, "redis", "Record messages or stream entries of Redis",
                            [options] { return run(*options); });
  app->add_option("NAME", options->names, "Channels and patterns; with --stream keys")->required();
  app->add_option("--redis", options->url, "The server (else RT_REDIS, REDIS_URL, localhost)")
      ->type_name("URL");
  app->add_flag("--stream", options->streams, "Names are streams (XREAD), not channels");
  app->add_option("--since", options->since,
                  "begin, end or an entry's id: where a new archive of streams begins")
      ->type_name("WHEN")
      ->capture_default_str();
  declare_recording(app, options->recording);
  cli::Tool::examples(app,
                      "  rtreplay record redis 'gym:*' --redis redis://localhost -o gym.rtr\n"
                      "  rtreplay record redis --stream rt:stream --since begin -o stream.rtr");
}

}  // namespace rt::rtreplay
