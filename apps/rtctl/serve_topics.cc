#include "rtctl/serve_topics.h"

#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/units.h"
#include "pg/connection.h"
#include "pipe/notify_source.h"
#include "proto/topic_notify.h"
#include "server/topics_board.h"
#include "server/topics_endpoint.h"

namespace rt::rtctl {
namespace {

NotifySourceOptions listen_options(const std::string& dsn) {
  NotifySourceOptions options;
  options.dsn = dsn;
  // Every number of shards that a publisher of the fleet may use is covered (D-3).
  for (std::uint32_t shard = 0; shard < kTopicShardsMax; ++shard) {
    options.channels.push_back(topic_shard_channel(shard));
  }
  options.reconnect.retry_first = true;
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

// Sends one message with NOTIFY; tries again twice over a new connection, as ssepg does, so that a
// message may arrive twice. For one thread.
server::TopicsBoard::Send notify_sender(const std::string& dsn, std::uint32_t shards) {
  struct Link {
    std::optional<Connection> connection;
  };
  auto link = std::make_shared<Link>();
  return [dsn, shards, link](const std::string& topic, const std::string& data) -> Result<void> {
    std::string envelope;
    RT_CHECKED(append_topic_envelope(envelope, topic, data, SIZE_MAX));
    constexpr int kAttempts = 3;
    Error last;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      if (!link->connection) {
        auto made = Connection::connect(dsn, {.application_name = "rtctl serve publish"});
        if (!made) {
          last = made.error();
          continue;
        }
        link->connection.emplace(std::move(*made));
      }
      const auto sent = link->connection->query("SELECT pg_notify($1, $2)",
                                                {topic_channel(topic, shards), envelope},
                                                "cannot notify topic " + topic);
      if (sent) return {};
      last = sent.error();
      link->connection.reset();
      if (last.code != Code::unreachable) break;
    }
    return fail(std::move(last));
  };
}

// Listens for the messages of all instances.
class TopicListener final : public Companion {
 public:
  TopicListener(const std::string& dsn, NotifyQueueWatch::Options watch)
      : source_(listen_options(dsn), log_link(connected_)), queue_(std::move(watch)) {}

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
    queue_.stop();
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> connected_{false};
  NotifySource source_;
  NotifyQueueWatch queue_;
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

}  // namespace

Result<ServedSurface> serve_topics(const TopicsFlags& flags, const ServeContext& context) {
  server::TopicsBoard::Options options;
  options.table = RT_TRY(topics_table(flags));
  const NotifyQueueWatch::Options watch = RT_TRY(queue_watch(flags, context.dsn));
  std::unique_ptr<TopicListener> listener;
  if (!context.dsn.empty()) {
    listener = std::make_unique<TopicListener>(context.dsn, watch);
    options.send = notify_sender(context.dsn, flags.shards);
    options.links = [heard = listener.get()] {
      return server::TopicTable::Links{.listening = heard->connected(), .notifying = true};
    };
  }
  ServedSurface served;
  served.parts.surface = server::Surface::topics;
  served.parts.endpoint = std::make_shared<server::TopicsEndpoint>(RT_TRY(topics_http(flags)));
  served.parts.board = std::make_unique<server::TopicsBoard>(std::move(options));
  served.parts.health = [heard = listener.get()] { return topics_health(heard); };
  served.companion = std::move(listener);
  return served;
}

}  // namespace rt::rtctl
