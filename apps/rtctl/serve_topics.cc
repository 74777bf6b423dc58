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
#include "base/text.h"
#include "base/units.h"
#include "cli/environment.h"
#include "http/token_file.h"
#include "pg/connection.h"
#include "pipe/notify_source.h"
#include "proto/topic_notify.h"
#include "server/topics_board.h"
#include "server/topics_endpoint.h"

namespace rt::rtctl {
namespace {

Result<std::string> token(const std::string& file, const char* variable) {
  if (file.empty()) return cli::first_set({variable});
  return read_token_file(file);
}

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

Result<server::TopicsHttp> topics_http(const TopicsFlags& flags) {
  server::TopicsHttp http;
  http.base_path = flags.base_path;
  while (http.base_path.size() > 1 && http.base_path.back() == '/') http.base_path.pop_back();
  if (http.base_path.empty() || http.base_path.front() != '/') {
    return fail(Code::usage,
                fmt::format("--topics-path \"{}\" does not begin with /", flags.base_path));
  }
  if (http.base_path == "/") http.base_path.clear();
  http.publish_token = RT_TRY(token(flags.publish_token_file, "RT_PUBLISH_TOKEN"));
  http.listen_token = RT_TRY(token(flags.listen_token_file, "RT_LISTEN_TOKEN"));
  http.notify_bytes_max = RT_TRY(parse_bytes(flags.notify_bytes_max));
  constexpr std::size_t kPostgresMax = 7999;  // PostgreSQL refuses more
  if (http.notify_bytes_max < 64 || http.notify_bytes_max > kPostgresMax) {
    return fail(Code::usage, "--notify-bytes-max lies between 64B and 7999B");
  }
  http.keepalive_every = RT_TRY(parse_duration(flags.keepalive));
  if (http.keepalive_every < std::chrono::milliseconds(100)) {
    return fail(Code::usage, "--topics-keepalive must be at least 100ms");
  }
  return http;
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
  explicit TopicListener(const std::string& dsn)
      : source_(listen_options(dsn), log_link(connected_)) {}

  bool connected() const { return connected_; }
  void start(server::Server& server) override {
    thread_ = std::jthread([this, &server](const std::stop_token& stop) {
      const Result<void> ended = server.feed(server::Surface::topics, source_, stop);
      connected_ = false;
      if (!ended) log::error("topics", log::field("ended", ended.error().text));
    });
  }
  void stop() override {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> connected_{false};
  NotifySource source_;
  std::jthread thread_;
};

server::SurfaceHealth topics_health(const TopicListener* listener) {
  server::SurfaceHealth health;
  if (listener == nullptr || listener->connected()) return health;
  health.state = server::SurfaceHealth::State::degraded;
  health.reason = "not listening to the database";
  return health;
}

}  // namespace

void declare_topics(CLI::App* verb, TopicsFlags& flags) {
  const std::string group = "Topics";
  verb->add_option("--topics-path", flags.base_path, "Where topics are: PATH/NAME/events")
      ->type_name("PATH")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--publish-token-file", flags.publish_token_file,
                   "Who publishes must bear this token (else RT_PUBLISH_TOKEN, else anybody may)")
      ->type_name("FILE")
      ->group(group);
  verb->add_option("--listen-token-file", flags.listen_token_file,
                   "Who subscribes must bear this token (else RT_LISTEN_TOKEN, else anybody may)")
      ->type_name("FILE")
      ->group(group);
  verb->add_option("--notify-shards", flags.shards,
                   "Channels that messages are spread over; the same in all of a fleet")
      ->type_name("N")
      ->check(CLI::Range(1U, kTopicShardsMax))
      ->capture_default_str()
      ->group(group);
  verb->add_option("--notify-bytes-max", flags.notify_bytes_max,
                   "Largest message, envelope included")
      ->type_name("SIZE")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--topics-keepalive", flags.keepalive,
                   "Time between a topic's keepalive comments")
      ->type_name("TIME")
      ->capture_default_str()
      ->group(group);
}

Result<ServedSurface> serve_topics(const TopicsFlags& flags, const ServeContext& context) {
  server::TopicsBoard::Options options;
  std::unique_ptr<TopicListener> listener;
  if (!context.dsn.empty()) {
    listener = std::make_unique<TopicListener>(context.dsn);
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
