// rtctl publish notify CHANNEL: any payload on any channel of PostgreSQL.
#include <fmt/format.h>

#include <memory>

#include "pg/listen.h"
#include "pipe/publish_to_postgres.h"
#include "rtctl/publish_loop.h"
#include "rtctl/publish_verbs.h"

namespace rt::rtctl {
namespace {

const std::vector<Via> kVias = {Via::notify};

struct PublishNotify : PublishFlags {
  std::string channel;
};

Result<PublishRoute> route_of(const PublishNotify& flags, int cancel_fd) {
  RT_CHECKED(check_channel_name(flags.channel));
  const std::string dsn = RT_TRY(publish_dsn(flags));
  PublishRoute route;
  route.shape = [channel = flags.channel](std::string_view data,
                                          const TemplateValues&) -> Result<PublishMessage> {
    if (data.size() > kNotifyPayloadBytesMax) {
      return fail(Code::usage,
                  fmt::format("payload too large for NOTIFY ({} > {})", data.size(),
                              kNotifyPayloadBytesMax),
                  "send less: an id that listeners look up, for example");
    }
    if (data.find('\0') != data.npos) {
      return fail(Code::usage, "the payload contains NUL, which PostgreSQL cannot send");
    }
    return PublishMessage{"NOTIFY " + channel, std::string(data), {}, std::string(data)};
  };
  route.sink = publish_to_notify({dsn, cancel_fd}, flags.channel);
  route.echo.open = echo_stream({{"notify", flags.channel}, {}, dsn, {}, false}, flags.http);
  route.echo.key_of = [](const StreamEvent& event) { return std::string(event.data); };
  return route;
}

Result<int> run(const PublishNotify& flags) {
  PublishVerb verb;
  verb.name = "notify";
  verb.vias = kVias;
  verb.without_data = "";
  verb.route = [&flags](const RouteRequest& request) { return route_of(flags, request.cancel_fd); };
  return run_publish(flags, verb);
}

}  // namespace

void add_publish_notify(cli::Tool& tool, CLI::App* publish) {
  auto flags = std::make_shared<PublishNotify>();
  CLI::App* verb = tool.verb(publish, "notify", "Notify a channel of PostgreSQL",
                             [flags] { return run(*flags); });
  verb->add_option("channel", flags->channel, "The channel, as it stands: capitals count")
      ->type_name("CHANNEL")
      ->required();
  declare_data(verb, *flags, "A payload each, any text");
  declare_publish(verb, *flags, kVias);
  cli::Tool::examples(verb,
                      "  rtctl pub notify orders 'order 7 changed' --pg service=app\n"
                      "  seq 1000 | rtctl pub notify orders --rate 200/s --await");
}

}  // namespace rt::rtctl
