// rtctl publish realtime TYPE: to the realtime transport, through a server, or straight onto the
// bus between its instances: Redis Pub/Sub, a Redis stream, PostgreSQL's NOTIFY.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "pipe/publish_to_http.h"
#include "pipe/publish_to_postgres.h"
#include "pipe/publish_to_redis.h"
#include "proto/realtime_event.h"
#include "rtctl/publish_loop.h"
#include "rtctl/publish_verbs.h"

namespace rt::rtctl {
namespace {

const std::vector<Via> kVias = {Via::http, Via::redis, Via::notify};

struct PublishRealtime : PublishFlags {
  std::string type;
  std::string user;
  bool stream = false;
};

std::optional<std::string_view> user_of(const PublishRealtime& flags) {
  return flags.user.empty() ? std::nullopt : std::optional<std::string_view>(flags.user);
}

// A server's instances drop what their own origin sent: this one is nobody's.
std::string own_origin(const TemplateValues& values) {
  return "rtctl-" + std::string(values.uuid.data(), 8);
}

Result<PublishRoute> over_http(const PublishRealtime& flags) {
  const std::string url = publish_url(flags, "/realtime");
  PublishRoute route;
  route.shape = [url, &flags](std::string_view data,
                              const TemplateValues&) -> Result<PublishMessage> {
    PublishMessage message{"POST " + url, {}, {}, {}};
    RT_CHECKED(append_realtime_event(message.body, {flags.type, data, user_of(flags)}));
    message.key = echo_member(message.body, "data");
    return message;
  };
  route.sink =
      publish_to_http(url, RT_TRY(flags.http.options()),
                      server_hints("does the server have realtime? or --via redis, --via notify"));
  route.echo.open =
      echo_stream({{"realtime", flags.type}, publish_url(flags, ""), {}, {}, false}, flags.http);
  route.echo.key_of = [](const StreamEvent& event) { return echo_member(event.data, "data"); };
  return route;
}

// What goes onto the bus is whole: instances pass it on as it is.
Shape bus_shape(const PublishRealtime& flags, std::string target, std::size_t bytes_max) {
  return [&flags, target = std::move(target), bytes_max](
             std::string_view data, const TemplateValues& values) -> Result<PublishMessage> {
    PublishMessage message{target, {}, std::string(values.uuid.begin(), values.uuid.end()), {}};
    const std::string origin = own_origin(values);
    RT_CHECKED(append_realtime_event(
        message.body, {flags.type, data, user_of(flags), values.now, message.id, origin}));
    message.key = message.id;
    if (message.body.size() <= bytes_max) return message;
    return fail(
        Code::usage,
        fmt::format("payload too large for NOTIFY ({} > {})", message.body.size(), bytes_max),
        "send less, or --via redis");
  };
}

Result<PublishRoute> over_redis(const PublishRealtime& flags, int cancel_fd) {
  const std::string url = RT_TRY(publish_redis(flags));
  const RedisTarget target{RT_TRY(parse_redis_url(url)), cancel_fd};
  const std::string name(flags.stream ? kRealtimeRedisStream : kRealtimeRedisChannel);
  PublishRoute route;
  route.shape = bus_shape(flags, (flags.stream ? "XADD " : "PUBLISH ") + name, SIZE_MAX);
  route.sink = flags.stream ? publish_to_stream(target, name, std::string(kRealtimeStreamField),
                                                kRealtimeStreamEntriesMax)
                            : publish_to_channel(target, name);
  route.echo.open = echo_stream({{"redis", name}, {}, {}, url, flags.stream}, flags.http);
  route.echo.key_of = [](const StreamEvent& event) { return echo_member(event.data, "id"); };
  return route;
}

Result<PublishRoute> over_notify(const PublishRealtime& flags, int cancel_fd) {
  const std::string dsn = RT_TRY(publish_dsn(flags));
  const std::string channel(kRealtimePostgresChannel);
  PublishRoute route;
  route.shape = bus_shape(flags, "NOTIFY " + channel, kRealtimeNotifyBytesMax);
  route.sink = publish_to_notify({dsn, cancel_fd}, channel);
  route.echo.open = echo_stream({{"notify", channel}, {}, dsn, {}, false}, flags.http);
  route.echo.key_of = [](const StreamEvent& event) { return echo_member(event.data, "id"); };
  return route;
}

Result<int> run(const PublishRealtime& flags) {
  PublishVerb verb;
  verb.name = "realtime";
  verb.vias = kVias;
  verb.without_data = "null";
  verb.route = [&flags](const RouteRequest& request) -> Result<PublishRoute> {
    if (flags.stream && request.via != Via::redis) {
      return fail(Code::usage, "--stream is for --via redis");
    }
    std::string checked;
    RT_CHECKED(append_realtime_event(checked, {flags.type, "null"}));
    switch (request.via) {
      case Via::redis:
        return over_redis(flags, request.cancel_fd);
      case Via::notify:
        return over_notify(flags, request.cancel_fd);
      default:
        return over_http(flags);
    }
  };
  return run_publish(flags, verb);
}

}  // namespace

void add_publish_realtime(cli::Tool& tool, CLI::App* publish) {
  auto flags = std::make_shared<PublishRealtime>();
  CLI::App* verb = tool.verb(publish, "realtime", "Send an event of a type, to all or to one user",
                             [flags] { return run(*flags); });
  verb->add_option("type", flags->type, "The event's type")->type_name("TYPE")->required();
  declare_data(verb, *flags, "JSON, an event each");
  verb->add_option("--user", flags->user, "Only for this user")->type_name("ID");
  verb->add_flag("--stream", flags->stream,
                 "redis: onto the stream rt:stream, which can be resumed");
  declare_publish(verb, *flags, kVias);
  cli::Tool::examples(
      verb,
      "  rtctl pub realtime task-updated '{\"id\":7}'\n"
      "  rtctl pub realtime task-updated '{\"id\":7}' --user u1 --redis redis://127.0.0.1\n"
      "  rtctl pub realtime task-updated '{\"id\":7}' --via notify --pg service=app --await");
}

}  // namespace rt::rtctl
