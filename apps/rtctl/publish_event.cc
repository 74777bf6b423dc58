// rtctl publish event CHANNEL TYPE: to a channel of eventrail, through its server or over Redis.
#include <memory>

#include "base/text.h"
#include "pipe/publish_to_http.h"
#include "pipe/publish_to_redis.h"
#include "proto/eventrail_envelope.h"
#include "rtctl/publish_loop.h"
#include "rtctl/publish_verbs.h"

namespace rt::rtctl {
namespace {

const std::vector<Via> kVias = {Via::http, Via::redis};

struct PublishEvent : PublishFlags {
  std::string channel;
  std::string type;
};

std::optional<std::string_view> given(std::string_view data) {
  return data.empty() ? std::nullopt : std::optional(data);
}

Result<PublishRoute> over_http(const PublishEvent& flags) {
  const std::string url = publish_url(flags, "/events");
  PublishRoute route;
  route.shape = [url, channel = flags.channel, type = flags.type](
                    std::string_view data, const TemplateValues&) -> Result<PublishMessage> {
    PublishMessage message{"POST " + url, "{\"channel\":", {}, {}};
    append_json_string(message.body, channel);
    std::string envelope;
    RT_CHECKED(append_event_envelope(envelope, type, given(data)));
    message.body.append(",").append(std::string_view(envelope).substr(1));
    message.key = echo_key(data.empty() ? "{}" : data);  // what the server makes of no data
    return message;
  };
  route.sink =
      publish_to_http(url, RT_TRY(flags.http.options()),
                      server_hints("does the server have events? or --via redis --redis URL"));
  const EventChannel channel = RT_TRY(parse_event_channel(flags.channel));
  const std::string scope = std::string(channel.scope) + ":" + std::to_string(channel.scope_id);
  route.echo.open =
      echo_stream({{"events", scope}, publish_url(flags, ""), {}, {}, false}, flags.http);
  route.echo.key_of = [](const StreamEvent& event) { return echo_key(event.data); };
  return route;
}

Result<PublishRoute> over_redis(const PublishEvent& flags, int cancel_fd) {
  const std::string url = RT_TRY(publish_redis(flags));
  PublishRoute route;
  route.shape = [channel = flags.channel, type = flags.type](
                    std::string_view data, const TemplateValues&) -> Result<PublishMessage> {
    PublishMessage message{"PUBLISH " + channel, {}, {}, {}};
    RT_CHECKED(append_event_envelope(message.body, type, given(data)));
    message.key = echo_key(message.body);
    return message;
  };
  route.sink = publish_to_channel({RT_TRY(parse_redis_url(url)), cancel_fd}, flags.channel);
  route.echo.open = echo_stream({{"redis", flags.channel}, {}, {}, url, false}, flags.http);
  route.echo.key_of = [](const StreamEvent& event) { return echo_key(event.data); };
  return route;
}

Result<int> run(const PublishEvent& flags) {
  PublishVerb verb;
  verb.name = "event";
  verb.vias = kVias;
  verb.without_data = "";
  verb.route = [&flags](const RouteRequest& request) -> Result<PublishRoute> {
    RT_TRY(parse_event_channel(flags.channel));
    RT_CHECKED(check_event_type(flags.type));
    return request.via == Via::http ? over_http(flags) : over_redis(flags, request.cancel_fd);
  };
  return run_publish(flags, verb);
}

}  // namespace

void add_publish_event(cli::Tool& tool, CLI::App* publish) {
  auto flags = std::make_shared<PublishEvent>();
  CLI::App* verb = tool.verb(publish, "event", "Send an event to a channel of a scope",
                             [flags] { return run(*flags); });
  verb->add_option("channel", flags->channel, "{scope}:{scope_id}:{topic}")
      ->type_name("CHANNEL")
      ->required();
  verb->add_option("type", flags->type, "The event's type")->type_name("TYPE")->required();
  declare_data(verb, *flags, "JSON, an event each");
  declare_publish(verb, *flags, kVias);
  cli::Tool::examples(
      verb,
      "  rtctl pub event gym:1:students students.changed '{\"id\":123}'\n"
      "  rtctl pub event gym:1:students students.changed '{\"id\":123}' --redis redis://127.0.0.1\n"
      "  rtctl pub event gym:1:students tick '{\"n\":{{n}}}' -n 100 --via redis --dry-run");
}

}  // namespace rt::rtctl
