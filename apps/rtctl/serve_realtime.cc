#include "rtctl/serve_realtime.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/environment.h"

namespace rt::rtctl {
namespace {

// Another one for each instance and each of its starts, on any machine.
std::string random_origin() {
  const SystemClock clock;
  Random random = Random::of(static_cast<std::uint64_t>(clock.now().time_since_epoch().count()) ^
                                 static_cast<std::uint64_t>(unix_us(clock.wall())) << 20U,
                             "realtime origin", static_cast<std::uint64_t>(::getpid()));
  std::string origin(16, '0');
  write_hex(origin.data(), random.next(), 16);
  return origin;
}

LinkWatch log_link(const std::string& transport) {
  LinkWatch watch;
  watch.on_open = [transport](bool again) {
    log::info("realtime",
              log::field("transport", transport) + (again ? " connected again" : " connected"));
  };
  watch.on_retry = [transport](const Error& reason, Duration delay, std::uint32_t) {
    log::warn("realtime", log::field("transport", transport) + " " +
                              log::field("lost", reason.text) + " " +
                              log::field("next_attempt", format_duration(delay)));
  };
  return watch;
}

Result<server::RealtimeHttp> realtime_http(const RealtimeFlags& flags, RealtimePlace& place) {
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
  http.identify = std::move(place.identify);
  http.trusts_parameter = place.on_loopback && !http.identify;
  return http;
}

}  // namespace

void declare_realtime(CLI::App* verb, RealtimeFlags& flags) {
  const std::string group = "Realtime";
  verb->add_option("--realtime-transport", flags.transport,
                   "What carries events between instances: memory (there is but one), redis, "
                   "redis-stream, postgres (else REALTIME_TRANSPORT, else memory)")
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

Result<std::unique_ptr<RealtimeSurface>> RealtimeSurface::make(const RealtimeFlags& flags,
                                                               RealtimePlace place) {
  server::RealtimeSurfaceOptions options;
  options.http = RT_TRY(realtime_http(flags, place));
  options.transport =
      flags.transport.empty() ? cli::first_set({"REALTIME_TRANSPORT"}) : flags.transport;
  if (options.transport.empty()) options.transport = "memory";
  options.origin = random_origin();
  RealtimeBusOptions bus;
  bus.transport = options.transport;
  bus.redis_url = std::move(place.redis_url);
  bus.dsn = cli::first_set({"REALTIME_PG_URL"});
  if (bus.dsn.empty()) bus.dsn = std::move(place.dsn);
  bus.channel = cli::first_set({"REALTIME_PG_CHANNEL"});
  bus.partitioned = flags.partitioned;
  std::shared_ptr<RealtimeBus> opened = RT_TRY(open_realtime_bus(bus, log_link(options.transport)));
  return std::unique_ptr<RealtimeSurface>(
      new RealtimeSurface(std::move(options), std::move(opened)));
}

server::SurfaceParts RealtimeSurface::parts() {
  return server::realtime_parts(bus_, std::move(options_));
}

void RealtimeSurface::start(Feed feed) {
  listening_ = std::jthread([this, feed = std::move(feed)](const std::stop_token& stop) {
    const Result<void> ended = feed(*bus_, stop);
    if (!ended) log::error("realtime", log::field("ended", ended.error().text));
  });
}

void RealtimeSurface::stop() {
  listening_.request_stop();
  if (listening_.joinable()) listening_.join();
}

}  // namespace rt::rtctl
