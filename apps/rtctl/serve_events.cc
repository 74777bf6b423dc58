#include "rtctl/serve_events.h"

#include <memory>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/units.h"
#include "io/wakeup.h"
#include "pipe/redis_patterns_source.h"
#include "redis/publisher.h"
#include "server/events_board.h"
#include "server/events_endpoint.h"
#include "server/events_wire.h"

namespace rt::rtctl {
namespace {

LinkWatch log_link() {
  LinkWatch watch;
  watch.on_open = [](bool again) {
    log::info("events", again ? "listening again; what was published meanwhile is lost"
                              : "listening to Redis");
  };
  watch.on_retry = [](const Error& reason, Duration delay, std::uint32_t) {
    log::warn("events", log::field("lost", reason.text) + " " +
                            log::field("next_attempt", format_duration(delay)));
  };
  return watch;
}

// One connection that listens, and one that publishes.
class RedisEvents final : public server::EventsBroker, public Companion {
 public:
  static Result<std::unique_ptr<RedisEvents>> create(const RedisAddress& address,
                                                     const Clock& clock) {
    RedisPatternsOptions options;
    options.address = address;
    options.client_name = "rtctl-serve-events";
    options.reconnect.retry_first = true;
    options.reconnect.retry_refused = true;
    auto source = RT_TRY(RedisPatternsSource::create(std::move(options), log_link()));
    auto cancel = RT_TRY(io::Wakeup::create());
    return std::unique_ptr<RedisEvents>(
        new RedisEvents(std::move(source), std::move(cancel), address, clock));
  }

  void start(server::Server& server) override {
    thread_ = std::jthread([this, &server](const std::stop_token& stop) {
      const Result<void> ended = server.feed(server::Surface::events, *source_, stop);
      if (!ended) log::error("events", log::field("ended", ended.error().text));
    });
  }
  void stop() override {
    cancel_.ring();
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

  void listen(const std::string& pattern) override { source_->listen(pattern); }
  void ignore(const std::string& pattern) override { source_->ignore(pattern); }
  Link link() const override {
    switch (source_->link()) {
      case RedisPatternsSource::Link::connecting:
        return Link::connecting;
      case RedisPatternsSource::Link::up:
        return Link::up;
      case RedisPatternsSource::Link::down:
        return Link::down;
    }
    return Link::down;
  }
  std::uint64_t gaps() const override { return source_->gaps(); }
  Result<std::int64_t> publish(std::string_view channel, std::string_view payload) override {
    return publisher_.publish(channel, payload);
  }

 private:
  RedisEvents(std::unique_ptr<RedisPatternsSource> source, io::Wakeup cancel,
              const RedisAddress& address, const Clock& clock)
      : cancel_(std::move(cancel)),
        source_(std::move(source)),
        publisher_(address, publisher_options(cancel_), clock) {}

  static RedisOptions publisher_options(const io::Wakeup& cancel) {
    RedisOptions options;
    options.cancel_fd = cancel.fd();
    options.client_name = "rtctl-serve-publish";
    options.timeout = std::chrono::seconds(3);  // somebody waits for the answer
    return options;
  }

  io::Wakeup cancel_;
  std::unique_ptr<RedisPatternsSource> source_;
  RedisPublisher publisher_;
  std::jthread thread_;
};

Result<Duration> duration_of(const std::string& flag, const std::string& text) {
  const Duration duration = RT_TRY(parse_duration(text));
  if (duration >= std::chrono::milliseconds(100)) return duration;
  return fail(Code::usage, flag + " must be at least 100ms");
}

}  // namespace

void declare_events(CLI::App* verb, EventsFlags& flags) {
  const std::string group = "Events";
  verb->add_option("--event-prefix", flags.prefix, "Goes before each event's name, with a dot")
      ->type_name("P")
      ->group(group);
  verb->add_option("--events-when-slow", flags.when_slow,
                   "Who does not read its events: misses some (drop), or is closed (disconnect)")
      ->check(CLI::IsMember({"drop", "disconnect"}))
      ->capture_default_str()
      ->group(group);
  verb->add_option("--hub-idle-timeout", flags.hub_idle_timeout,
                   "How long a scope without subscribers is still listened to")
      ->type_name("TIME")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--events-heartbeat", flags.heartbeat, "Time between heartbeat comments")
      ->type_name("TIME")
      ->capture_default_str()
      ->group(group);
}

Result<ServedSurface> serve_events(const EventsFlags& flags, const ServeContext& context) {
  using server::StreamRules;
  server::EventsEndpoint::Options http;
  http.tokens = context.tokens;
  http.loopback_only = context.loopback;
  http.heartbeat_every = RT_TRY(duration_of("--events-heartbeat", flags.heartbeat));
  http.when_slow =
      flags.when_slow == "drop" ? StreamRules::WhenSlow::drop : StreamRules::WhenSlow::close;
  server::EventsBoard::Options hubs;
  hubs.prefix = RT_TRY(server::event_prefix(flags.prefix));
  hubs.hub_idle_timeout = RT_TRY(duration_of("--hub-idle-timeout", flags.hub_idle_timeout));
  if (context.redis_url.empty()) {
    return unavailable(server::Surface::events, {"/events"},
                       Error{Code::refused, "events need a Redis", "name it with --redis URL"});
  }
  const RedisAddress address = RT_TRY(parse_redis_url(context.redis_url));
  auto redis = RT_TRY(RedisEvents::create(address, context.clock));
  auto board = std::make_unique<server::EventsBoard>(std::move(hubs), *redis);
  ServedSurface served;
  served.parts.surface = server::Surface::events;
  served.parts.endpoint = std::make_shared<server::EventsEndpoint>(std::move(http), context.clock);
  served.parts.health = board->health();
  served.parts.board = std::move(board);
  served.companion = std::move(redis);
  return served;
}

}  // namespace rt::rtctl
