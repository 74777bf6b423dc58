// rtctl publish topic NAME: to the subscribers of a topic (ssepg), through its server or by NOTIFY.
#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "pipe/publish_to_http.h"
#include "pipe/publish_to_postgres.h"
#include "proto/json_compact.h"
#include "proto/topic_notify.h"
#include "rtctl/publish_loop.h"
#include "rtctl/publish_verbs.h"

namespace rt::rtctl {
namespace {

const std::vector<Via> kVias = {Via::http, Via::notify};

struct PublishTopic : PublishFlags {
  std::string name;
  std::string shards = std::to_string(kTopicShards);
};

Result<PublishRoute> over_http(const PublishTopic& flags, const std::string& topic) {
  const std::string url = publish_url(flags, "/topics/" + topic + "/events");
  PublishRoute route;
  route.shape = [url](std::string_view data, const TemplateValues&) -> Result<PublishMessage> {
    PublishMessage message{"POST " + url, "{\"data\":", {}, {}};
    RT_CHECKED(append_json_data(message.body, data));
    message.body.push_back('}');
    message.key = echo_key(data);
    return message;
  };
  route.sink =
      publish_to_http(url, RT_TRY(flags.http.options()),
                      server_hints("does the server have topics? or --via notify --pg DSN"));
  route.echo.open =
      echo_stream({{"topic", topic}, publish_url(flags, ""), {}, {}, false}, flags.http);
  route.echo.key_of = [](const StreamEvent& event) { return echo_key(event.data); };
  return route;
}

Result<PublishRoute> over_notify(const PublishTopic& flags, const std::string& topic,
                                 int cancel_fd) {
  const auto shards = parse_decimal(flags.shards);
  if (!shards || *shards == 0 || *shards > kTopicShardsMax) {
    return fail(Code::usage,
                fmt::format("--shards \"{}\" is not 1 to {}", flags.shards, kTopicShardsMax),
                "the smallest number of shards in the fleet: 8, if nobody changed it");
  }
  const std::string channel = topic_channel(topic, static_cast<std::uint32_t>(*shards));
  const std::string dsn = RT_TRY(publish_dsn(flags));
  PublishRoute route;
  route.shape = [topic, channel](std::string_view data,
                                 const TemplateValues&) -> Result<PublishMessage> {
    PublishMessage message{"NOTIFY " + channel, {}, {}, {}};
    RT_CHECKED(append_topic_envelope(message.body, topic, data));
    message.key = echo_key(message.body);
    return message;
  };
  route.sink = publish_to_notify({dsn, cancel_fd}, channel);
  route.echo.open = echo_stream({{"notify", channel}, {}, dsn, {}, false}, flags.http);
  route.echo.key_of = [](const StreamEvent& event) { return echo_key(event.data); };
  return route;
}

Result<int> run(const PublishTopic& flags) {
  PublishVerb verb;
  verb.name = "topic";
  verb.vias = kVias;
  verb.route = [&flags](const RouteRequest& request) -> Result<PublishRoute> {
    const std::string topic = RT_TRY(topic_name(flags.name));
    if (request.via == Via::http) return over_http(flags, topic);
    return over_notify(flags, topic, request.cancel_fd);
  };
  return run_publish(flags, verb);
}

}  // namespace

void add_publish_topic(cli::Tool& tool, CLI::App* publish) {
  auto flags = std::make_shared<PublishTopic>();
  CLI::App* verb = tool.verb(publish, "topic", "Send JSON to the subscribers of a topic",
                             [flags] { return run(*flags); });
  verb->add_option("name", flags->name, "The topic")->type_name("NAME")->required();
  declare_data(verb, *flags, "JSON, a message each");
  verb->add_option("--shards", flags->shards, "notify: channels that the fleet spreads topics over")
      ->type_name("N")
      ->capture_default_str();
  declare_publish(verb, *flags, kVias);
  cli::Tool::examples(
      verb,
      "  rtctl pub topic orders '{\"id\":7}'                            to rtctl serve\n"
      "  rtctl pub topic orders '{\"id\":{{n}}}' -n 1000 -r 100/s       on a fixed schedule\n"
      "  rtctl pub topic orders '{\"id\":7}' --pg service=app --await   by NOTIFY; how long it "
      "took\n"
      "  tail -F app.log | rtctl pub topic log --template '{\"line\":{{line_json}}}'");
}

}  // namespace rt::rtctl
