#include "rtctl/serve_topics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/random.h"
#include "base/units.h"
#include "io/wakeup.h"
#include "pg/connection.h"
#include "pipe/notify_source.h"
#include "proto/topic_notify.h"
#include "server/topics_board.h"
#include "server/topics_endpoint.h"

namespace rt::rtctl {
namespace {

NotifySourceOptions listen_options(const std::string& dsn, const std::string& echo_channel) {
  NotifySourceOptions options;
  options.dsn = dsn;
  // Every number of shards that a publisher of the fleet may use is covered (D-3).
  for (std::uint32_t shard = 0; shard < kTopicShardsMax; ++shard) {
    options.channels.push_back(topic_shard_channel(shard));
  }
  options.channels.push_back(echo_channel);
  options.reconnect.retry_first = true;
  options.reconnect.retry_refused = true;
  options.application_name = "rtctl serve topics";
  return options;
}

LinkWatch log_link(std::atomic<bool>& connected) {
  LinkWatch watch;
  watch.on_open = [&connected](bool again) {
    connected = true;
    log::info("topics", again ? "listening again; what was notified meanwhile is lost"
                              : "listening for notifications");
  };
  watch.on_retry = [&connected](const Error& reason, Duration delay, std::uint32_t) {
    connected = false;
    log::warn("topics", log::field("lost", reason.text) + " " +
                            log::field("next_attempt", format_duration(delay)));
  };
  return watch;
}

// A channel of this instance's own, on which it hears what it says to itself.
std::string make_echo_channel(const Clock& clock) {
  const auto seed = static_cast<std::uint64_t>(unix_us(clock.wall()));
  return fmt::format("rtctl_echo_{:016x}",
                     Random::of(seed, "echo", static_cast<std::uint64_t>(::getpid())).next());
}

// Sends with NOTIFY; tries again twice over a new connection, as ssepg does, so that a message may
// arrive twice. For one thread, but for cancel().
class NotifySender {
 public:
  static Result<std::shared_ptr<NotifySender>> create(const std::string& dsn) {
    return std::make_shared<NotifySender>(dsn, RT_TRY(io::Wakeup::create()));
  }
  NotifySender(std::string dsn, io::Wakeup cancel)
      : dsn_(std::move(dsn)), cancel_(std::move(cancel)) {}

  Result<void> notify(const std::string& channel, const std::string& payload,
                      const std::string& attempted) {
    constexpr int kAttempts = 3;
    Error last;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      auto sent = try_once(channel, payload, attempted);
      if (sent) return {};
      last = sent.error();
      connection_.reset();
      if (last.code != Code::unreachable) break;
    }
    return fail(std::move(last));
  }
  // Any thread: whoever waits for the database waits no longer, now and later.
  void cancel() { cancel_.ring(); }

 private:
  Result<void> try_once(const std::string& channel, const std::string& payload,
                        const std::string& attempted) {
    if (!connection_) {
      connection_ = RT_TRY(Connection::connect(
          dsn_, {.application_name = "rtctl serve publish",
                 .answer_timeout = std::chrono::seconds(10),  // a client waits for it
                 .cancel_fd = cancel_.fd()}));
    }
    RT_CHECKED(connection_->query("SELECT pg_notify($1, $2)", {channel, payload}, attempted));
    return {};
  }

  const std::string dsn_;
  io::Wakeup cancel_;
  std::optional<Connection> connection_;
};

// Listens for the messages of all instances.
class TopicListener final : public Companion {
 public:
  TopicListener(const std::string& dsn, const std::string& echo_channel,
                NotifyQueueWatch::Options watch, io::Wakeup cancel_watch,
                std::shared_ptr<NotifySender> sender)
      : source_(listen_options(dsn, echo_channel), log_link(connected_)),
        queue_(std::move(watch), std::move(cancel_watch)),
        sender_(std::move(sender)) {}

  std::optional<double> queue_usage() const { return queue_.usage(); }
  bool connected() const { return connected_; }
  std::uint64_t gaps() const { return source_.gaps(); }
  void start(server::Server& server) override {
    queue_.start();
    thread_ = std::jthread([this, &server](const std::stop_token& stop) {
      const Result<void> ended = server.feed(server::Surface::topics, source_, stop);
      connected_ = false;
      if (!ended) log::error("topics", log::field("ended", ended.error().text));
    });
  }
  void stop() override {
    sender_->cancel();
    queue_.stop();
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> connected_{false};
  NotifySource source_;
  NotifyQueueWatch queue_;
  std::shared_ptr<NotifySender> sender_;
  std::jthread thread_;
};

server::SurfaceHealth topics_health(const TopicListener* listener) {
  server::SurfaceHealth health;
  if (listener == nullptr) return health;
  if (const auto usage = listener->queue_usage()) {
    health.counts.emplace_back("notify_queue_percent",
                               static_cast<std::uint64_t>(*usage * 100 + 0.5));
  }
  health.counts.emplace_back("gaps", listener->gaps());
  if (listener->connected()) return health;
  health.state = server::SurfaceHealth::State::degraded;
  health.reason = "not listening to the database";
  return health;
}

std::size_t thread_count() {
  std::error_code error;
  const std::filesystem::directory_iterator tasks("/proc/self/task", error);
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

// Messages travel through the database; what is said here is told when it comes back.
Result<std::unique_ptr<TopicListener>> set_up_links(server::TopicsBoard::Options& options,
                                                    std::uint32_t shards,
                                                    NotifyQueueWatch::Options watch,
                                                    const ServeContext& context) {
  auto sender = RT_TRY(NotifySender::create(context.dsn));
  options.send = [sender, shards](const std::string& topic,
                                  const std::string& data) -> Result<void> {
    std::string envelope;
    RT_CHECKED(append_topic_envelope(envelope, topic, data, SIZE_MAX));
    return sender->notify(topic_channel(topic, shards), envelope, "cannot notify topic " + topic);
  };
  options.echo_channel = make_echo_channel(context.clock);
  options.echo = [sender, channel = options.echo_channel] {
    return sender->notify(channel, "", "cannot notify this instance");
  };
  auto listener = std::make_unique<TopicListener>(
      context.dsn, options.echo_channel, std::move(watch), RT_TRY(io::Wakeup::create()), sender);
  options.links = [heard = listener.get()] {
    return server::TopicTable::Links{.listening = heard->connected(),
                                     .notifying = true,
                                     .reconnects = heard->gaps(),
                                     .threads = thread_count()};
  };
  return listener;
}

// Who may do what is said once, so that an open server is no surprise.
void log_access(const server::TopicsHttp& http, bool loopback) {
  const auto who = [](const std::string& token) { return token.empty() ? "anybody" : "token"; };
  const bool is_open = http.publish_token.empty() || http.listen_token.empty();
  (is_open && !loopback ? log::warn : log::info)(
      "topics",
      fmt::format("publish={} listen={}", who(http.publish_token), who(http.listen_token)));
}

}  // namespace

Result<ServedSurface> serve_topics(const TopicsFlags& flags, const ServeContext& context) {
  server::TopicsBoard::Options options;
  options.table = RT_TRY(topics_table(flags));
  NotifyQueueWatch::Options watch = RT_TRY(queue_watch(flags, context.dsn));
  server::TopicsHttp http = RT_TRY(topics_http(flags));
  log_access(http, context.loopback);
  std::unique_ptr<TopicListener> listener;
  if (!context.dsn.empty()) {
    listener = RT_TRY(set_up_links(options, flags.shards, std::move(watch), context));
  }
  ServedSurface served;
  served.parts.surface = server::Surface::topics;
  served.parts.endpoint = std::make_shared<server::TopicsEndpoint>(std::move(http));
  served.parts.board = std::make_unique<server::TopicsBoard>(std::move(options));
  served.parts.health = [heard = listener.get()] { return topics_health(heard); };
  served.companion = std::move(listener);
  return served;
}

}  // namespace rt::rtctl
