#include "rtctl/serve_topics_flags.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/units.h"
#include "cli/environment.h"
#include "http/token_file.h"
#include "proto/topic_notify.h"

namespace rt::rtctl {
namespace {

Result<std::string> token(const std::string& file, const char* variable) {
  if (file.empty()) return cli::first_set({variable});
  return read_token_file(file);
}

Result<Duration> at_least(const char* flag, const std::string& text, Duration least) {
  const Duration value = RT_TRY(parse_duration(text));
  if (value >= least) return value;
  return fail(Code::usage, fmt::format("{} must be at least {}", flag, format_duration(least)));
}

}  // namespace

void declare_topics(CLI::App* verb, TopicsFlags& flags) {
  const std::string group = "Topics";
  verb->add_option("--topics-path", flags.base_path, "Where topics are: PATH/NAME/events")
      ->type_name("PATH")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--publish-token-file", flags.publish_token_file,
                   "Who publishes to topics or realtime must bear it (else RT_PUBLISH_TOKEN)")
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
  verb->add_option("--topics-health-path", flags.health_path, "Where the counts of topics are")
      ->type_name("PATH")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--topics-ring", flags.ring,
                   "Messages of a topic that may wait, a power of two; then the oldest go")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--topics-client-buffer", flags.client_buffer,
                   "Messages a subscriber may leave unread, beside 64 KiB; 0: any number")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--topics-idle-timeout", flags.idle_timeout,
                   "How long a topic is remembered that nobody uses")
      ->type_name("TIME")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--notify-queue-poll", flags.queue_poll,
                   "Time between looks at PostgreSQL's queue of notifications")
      ->type_name("TIME")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--notify-queue-warn", flags.queue_warn,
                   "Warn when more than this share of it is in use")
      ->type_name("0..1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->group(group);
  verb->add_option("--alter-system-max-notification-mb", flags.alter_system_mb,
                   "Refused: PostgreSQL has no such setting; the message names the one it has")
      ->type_name("N")
      ->group(group);
}

Result<std::string> publish_token(const TopicsFlags& flags) {
  return token(flags.publish_token_file, "RT_PUBLISH_TOKEN");
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
  http.publish_token = RT_TRY(publish_token(flags));
  http.listen_token = RT_TRY(token(flags.listen_token_file, "RT_LISTEN_TOKEN"));
  http.notify_bytes_max = RT_TRY(parse_bytes(flags.notify_bytes_max));
  constexpr std::size_t kPostgresMax = 7999;  // PostgreSQL refuses more
  if (http.notify_bytes_max < 64 || http.notify_bytes_max > kPostgresMax) {
    return fail(Code::usage, "--notify-bytes-max lies between 64B and 7999B");
  }
  http.health_path = flags.health_path;
  http.client_events_max = flags.client_buffer;
  http.keepalive_every =
      RT_TRY(at_least("--topics-keepalive", flags.keepalive, std::chrono::milliseconds(100)));
  return http;
}

Result<server::TopicTable::Options> topics_table(const TopicsFlags& flags) {
  server::TopicTable::Options table;
  if (flags.ring == 0 || (flags.ring & (flags.ring - 1)) != 0) {
    return fail(Code::usage,
                fmt::format("--topics-ring must be a power of two, got {}", flags.ring));
  }
  table.ring_capacity = flags.ring;
  table.idle_timeout =
      RT_TRY(at_least("--topics-idle-timeout", flags.idle_timeout, std::chrono::seconds(1)));
  return table;
}

Result<NotifyQueueWatch::Options> queue_watch(const TopicsFlags& flags, const std::string& dsn) {
  if (flags.alter_system_mb != 0) {
    return fail(Code::usage, "PostgreSQL has no setting max_notification_queue_size to alter",
                "what exists is max_notify_queue_pages: PostgreSQL 17, in postgresql.conf, and it "
                "needs a restart");
  }
  NotifyQueueWatch::Options options;
  options.dsn = dsn;
  options.every =
      RT_TRY(at_least("--notify-queue-poll", flags.queue_poll, std::chrono::milliseconds(100)));
  options.warn_above = flags.queue_warn;
  return options;
}

}  // namespace rt::rtctl
