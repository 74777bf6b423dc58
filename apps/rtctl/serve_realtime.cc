#include "rtctl/serve_realtime.h"

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/environment.h"
#include "pipe/realtime_bus.h"
#include "server/realtime_surface.h"
#include "server/signed_principal.h"

namespace rt::rtctl {
namespace {

// Another one for each instance and each of its starts, on any machine.
std::string random_origin(const Clock& clock) {
  Random random = Random::of(static_cast<std::uint64_t>(clock.now().time_since_epoch().count()) ^
                                 static_cast<std::uint64_t>(unix_us(clock.wall())) << 20U,
                             "realtime origin", static_cast<std::uint64_t>(::getpid()));
  std::string origin(16, '0');
  write_hex(origin.data(), random.next(), 16);
  return origin;
}

LinkWatch log_link(const std::string& transport) {
  LinkWatch watch;
  watch.on_open = [field = log::field("transport", transport)](bool again) {
    log::info(again ? "realtime is connected again" : "realtime is connected", field);
  };
  watch.on_retry = [field = log::field("transport", transport)](const Error& reason, Duration delay,
                                                                std::uint32_t) {
    log::warn("realtime has no transport",
              fmt::format("{} {} {}", field, log::field("reason", reason.text),
                          log::field("next_attempt", format_duration(delay))));
  };
  return watch;
}

// Who may do what is said once. In the system that this one stands in for, users only listen.
void log_access(const server::RealtimeHttp& http, bool loopback) {
  const char* const others = http.identify ? "users" : "anybody";
  const bool is_open = http.publish_token.empty();
  (is_open && !loopback ? log::warn : log::info)(
      "realtime", fmt::format("publish={} listen={}", is_open ? others : "token", others));
}

Result<server::RealtimeHttp> realtime_http(const RealtimeFlags& flags) {
  server::RealtimeHttp http;
  http.path = flags.path;
  while (http.path.size() > 1 && http.path.back() == '/') http.path.pop_back();
  if (http.path.size() < 2 || http.path.front() != '/') {
    return fail(Code::usage, fmt::format("--realtime-path \"{}\" is no path", flags.path),
                "for example /realtime");
  }
  http.keepalive_every = RT_TRY(parse_duration(flags.keepalive));
  if (http.keepalive_every < std::chrono::milliseconds(100)) {
    return fail(Code::usage, "--realtime-keepalive must be at least 100ms");
  }
  return http;
}

RealtimeBusOptions bus_options(const RealtimeFlags& flags, const ServeContext& context) {
  RealtimeBusOptions options;
  const std::string transport =
      flags.transport.empty() ? cli::first_set({"REALTIME_TRANSPORT"}) : flags.transport;
  if (!transport.empty()) options.transport = transport;
  options.redis_url = context.redis_url;
  // These two as the original has them.
  options.dsn = cli::first_set({"REALTIME_PG_URL"});
  if (options.dsn.empty()) options.dsn = context.dsn;
  options.channel = cli::first_set({"REALTIME_PG_CHANNEL"});
  options.partitioned = flags.partitioned;
  return options;
}

// Listens to what all instances publish.
class RealtimeListener final : public Companion {
 public:
  explicit RealtimeListener(std::shared_ptr<RealtimeBus> bus) : bus_(std::move(bus)) {}

  void start(server::Server& server) override {
    thread_ = std::jthread([this, &server](const std::stop_token& stop) {
      const Result<void> ended = server.feed(server::Surface::realtime, *bus_, stop);
      if (!ended) log::error("realtime has ended", log::field("reason", ended.error().text));
    });
  }
  void stop() override {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::shared_ptr<RealtimeBus> bus_;
  std::jthread thread_;
};

}  // namespace

void declare_realtime(CLI::App* verb, RealtimeFlags& flags) {
  const std::string group = "Realtime";
  verb->add_option("--realtime-transport", flags.transport,
                   "memory, redis, redis-stream or postgres (else REALTIME_TRANSPORT)")
      ->type_name("NAME")
      ->group(group);
  verb->add_flag("--realtime-partition", flags.partitioned,
                 "redis: publish on a channel for each type, rt:TYPE, instead of rt:all")
      ->group(group);
  verb->add_option("--realtime-path", flags.path, "Where events are had and posted")
      ->type_name("PATH")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--realtime-keepalive", flags.keepalive,
                   "Time between a subscriber's keepalive comments")
      ->type_name("TIME")
      ->capture_default_str()
      ->group(group);
}

Result<ServedSurface> serve_realtime(const RealtimeFlags& flags, std::string publish_token,
                                     const ServeContext& context) {
  server::RealtimeSurfaceOptions options;
  options.http = RT_TRY(realtime_http(flags));
  options.http.publish_token = std::move(publish_token);
  if (context.tokens) {
    options.http.identify = [tokens = *context.tokens, &clock = context.clock](
                                const http1::RequestHead& head) -> Result<server::RealtimeCaller> {
      Principal principal =
          RT_TRY(server::signed_principal(head, tokens, clock.wall(), TokenCheck::Needs::user));
      return server::RealtimeCaller{std::move(principal.user), principal.expires_at};
    };
  }
  options.http.trusts_parameter = context.loopback && !options.http.identify;
  log_access(options.http, context.loopback);
  options.origin = random_origin(context.clock);
  const RealtimeBusOptions bus = bus_options(flags, context);
  options.transport = bus.transport;
  auto opened = open_realtime_bus(bus, log_link(bus.transport));
  if (!opened && opened.error().code == Code::refused) {
    return unavailable(server::Surface::realtime, {options.http.path}, opened.error());
  }
  const std::shared_ptr<RealtimeBus> shared = RT_TRY(std::move(opened));
  ServedSurface served;
  served.parts = server::realtime_parts(shared, std::move(options));
  served.companion = std::make_unique<RealtimeListener>(shared);
  return served;
}

}  // namespace rt::rtctl
