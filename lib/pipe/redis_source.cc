#include "pipe/redis_source.h"

#include <algorithm>
#include <utility>

#include "archive/bodies.h"
#include "pipe/sessions.h"

namespace rt {

namespace {

constexpr std::string_view kGap =
    "connection lost: what was published until it was back is lost for this subscriber";

}  // namespace

bool is_redis_pattern(std::string_view name) {
  return name.find_first_of("*?[\\") != std::string_view::npos;
}

bool RedisOverlap::is_repeated(const RedisMessage& message) {
  const bool same =
      !message.pattern.empty() && message.channel == last_.channel &&
      message.payload == last_.payload &&
      std::find(patterns_.begin(), patterns_.end(), message.pattern) == patterns_.end();
  if (!same) {
    last_ = message;
    patterns_.clear();
  }
  patterns_.push_back(message.pattern);
  return same && patterns_.size() > 1;
}

RedisSource::RedisSource(RedisSourceOptions options, LinkWatch watch)
    : options_(std::move(options)), watch_(std::move(watch)) {}

Result<void> RedisSource::run(std::stop_token stop, const Take& take) {
  return run_sessions(options_.reconnect, watch_, stop, take,
                      [this](Reconnector& link, Outlet& outlet, int cancel_fd) {
                        return session(link, outlet, cancel_fd);
                      });
}

// Success: the taker has failed.
Result<void> RedisSource::session(Reconnector& link, Outlet& outlet, int cancel_fd) {
  RedisOptions connect;
  connect.client_name = options_.client_name;
  connect.cancel_fd = cancel_fd;
  RedisConnection connection = RT_TRY(RedisConnection::connect(options_.address, connect));
  const std::vector<std::string>& names = options_.channels;
  RedisSubscriber subscriber =
      RT_TRY(std::any_of(names.begin(), names.end(), is_redis_pattern)
                 ? RedisSubscriber::psubscribe(std::move(connection), names)
                 : RedisSubscriber::subscribe(std::move(connection), names));
  if (link.opened()) {
    outlet.put(RecordKind::gap, kGap);
    gaps_.fetch_add(1, std::memory_order_relaxed);
  }
  if (!outlet.hand_over()) return {};
  link.caught_up();
  RedisOverlap overlap;
  std::string body;
  Instant deadline = Instant::max();  // after a message: at once, to see whether more are there
  for (;;) {
    const auto message = RT_TRY(subscriber.next(deadline));
    deadline = message ? Instant() : Instant::max();
    if (message && !overlap.is_repeated(*message)) {
      body.clear();
      archive::encode(body, archive::RedisBody{{}, message->channel, message->payload});
      outlet.put(RecordKind::redis, body);
      events_.fetch_add(1, std::memory_order_relaxed);
      link.received();
    }
    if ((!message || outlet.due()) && !outlet.hand_over()) return {};
  }
}

}  // namespace rt
