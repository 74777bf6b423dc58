#include "pipe/realtime_redis.h"

#include <fmt/format.h>

#include <stop_token>

#include "io/wakeup.h"
#include "pipe/realtime_link.h"
#include "pipe/realtime_outbox.h"
#include "pipe/redis_source.h"
#include "pipe/redis_stream_source.h"
#include "proto/realtime_event.h"

namespace rt {
namespace {

constexpr std::string_view kClientName = "rtctl-realtime";
// Redis sets no limit that one would meet; readers take events up to 1 MiB apiece for granted.
constexpr std::size_t kEventBytesMax = std::size_t{1} << 20;

// What both have in common: how an event gets to the server.
class RedisBus : public RealtimeBus {
 public:
  std::size_t event_bytes_max() const override { return kEventBytesMax; }
  RealtimeBusStatus status() const override { return link_.status(); }
  void on_change(std::function<void()> call) override { link_.on_change(std::move(call)); }
  void close() override { closed_.ring(); }

 protected:
  RedisBus(RedisAddress address, LinkWatch watch, io::Wakeup closed)
      : address_(std::move(address)),
        closed_(std::move(closed)),
        link_(std::move(watch)),
        outbox_(link_) {}

  Result<void> command(const std::vector<std::string_view>& words, const std::string& attempt) {
    return outbox_.send([this] { return connect(); }, is_alive,
                        [&](RedisConnection& connection) -> Result<void> {
                          RT_TRY(connection.command(words, attempt));
                          return {};
                        });
  }

  const RedisAddress address_;
  io::Wakeup closed_;
  RealtimeLink link_;

 private:
  Result<RedisConnection> connect() {
    RedisOptions options;
    options.client_name = "rtctl-publish";
    options.timeout = kRealtimePublishTimeout;
    options.cancel_fd = closed_.fd();
    return RedisConnection::connect(address_, options);
  }

  // An idle server sends nothing.
  static bool is_alive(RedisConnection& connection) {
    const auto unasked = connection.next(Instant(), "cannot publish");
    return unasked && !*unasked;
  }

  RealtimeOutbox<RedisConnection> outbox_;
};

RedisSourceOptions channel_options(const RedisAddress& address) {
  RedisSourceOptions options;
  options.address = address;
  options.channels = {std::string(kRealtimeRedisPattern)};
  options.reconnect.retry_first = true;
  options.reconnect.retry_refused = true;
  options.client_name = kClientName;
  return options;
}

class ChannelBus final : public RedisBus {
 public:
  ChannelBus(const RealtimeRedisOptions& options, LinkWatch watch, io::Wakeup closed)
      : RedisBus(options.address, std::move(watch), std::move(closed)),
        partitioned_(options.partitioned),
        source_(channel_options(options.address), link_.watch()) {}

  Result<void> run(std::stop_token stop, const Take& take) override {
    return link_.ended(source_.run(std::move(stop), take));
  }

  Result<void> publish(std::string_view type, std::string_view event) override {
    const std::string channel = partitioned_ ? fmt::format("{}{}", kRealtimeRedisPrefix, type)
                                             : std::string(kRealtimeRedisChannel);
    return command({"PUBLISH", channel, event}, fmt::format("cannot publish to \"{}\"", channel));
  }

 private:
  const bool partitioned_;
  RedisSource source_;
};

RedisStreamSourceOptions stream_options(const RedisAddress& address) {
  RedisStreamSourceOptions options;
  options.address = address;
  options.keys = {std::string(kRealtimeRedisStream)};
  options.reconnect.retry_first = true;
  options.reconnect.retry_refused = true;
  options.client_name = kClientName;
  return options;
}

std::optional<RedisEntryId> entry_of(const RecordView& record) {
  const auto body = archive::decode_redis(record.body);
  return body ? RedisEntryId::parse(body->id) : std::nullopt;
}

class StreamBus final : public RedisBus {
 public:
  StreamBus(const RedisAddress& address, LinkWatch watch, io::Wakeup closed)
      : RedisBus(address, std::move(watch), std::move(closed)),
        source_(stream_options(address),
                link_.watch([this] { return std::optional(source_.cursors().front().after); })) {}

  Result<void> run(std::stop_token stop, const Take& take) override {
    return link_.ended(source_.run(std::move(stop), take));
  }

  Result<void> publish(std::string_view, std::string_view event) override {
    return command({"XADD", kRealtimeRedisStream, "MAXLEN", "~", entries_max_, "*",
                    kRealtimeStreamField, event},
                   fmt::format("cannot append to stream \"{}\"", kRealtimeRedisStream));
  }

  bool has_past() const override { return true; }
  // A source of its own, which ends where the past does.
  Result<void> read_past(RedisEntryId after, RedisEntryId until, const TakePast& take) override {
    RedisStreamSourceOptions options = stream_options(address_);
    options.begin = {RedisStreamBegin::At::after, {after}, {}, 0};
    options.reconnect = {.retry_first = false, .retries_max = 0};
    std::stop_source done;
    const std::stop_callback closed(closing_.get_token(), [&done] { done.request_stop(); });
    RedisStreamSource past(std::move(options), {{}, {}, [&done] { done.request_stop(); }});
    const Result<void> ended = past.run(done.get_token(), [&](RecordBatch& batch) -> Result<void> {
      for (std::size_t i = 0; i < batch.size() && !done.stop_requested(); ++i) {
        const auto entry = entry_of(batch[i]);
        const bool beyond = entry && *entry > until;
        if (beyond || !take(batch[i]) || (entry && *entry == until)) done.request_stop();
      }
      return {};
    });
    if (closing_.stop_requested()) return fail(Code::cancelled, "stopped");
    return ended;
  }

  void close() override {
    RedisBus::close();
    closing_.request_stop();
  }

 private:
  const std::string entries_max_ = std::to_string(kRealtimeStreamEntriesMax);
  std::stop_source closing_;
  RedisStreamSource source_;
};

}  // namespace

Result<std::unique_ptr<RealtimeBus>> realtime_over_redis(const RealtimeRedisOptions& options,
                                                         LinkWatch watch) {
  return std::make_unique<ChannelBus>(options, std::move(watch), RT_TRY(io::Wakeup::create()));
}

Result<std::unique_ptr<RealtimeBus>> realtime_over_stream(const RedisAddress& address,
                                                          LinkWatch watch) {
  return std::make_unique<StreamBus>(address, std::move(watch), RT_TRY(io::Wakeup::create()));
}

}  // namespace rt
