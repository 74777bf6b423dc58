#include "pipe/realtime_postgres.h"

#include <fmt/format.h>
#include <poll.h>

#include "io/wakeup.h"
#include "pg/connection.h"
#include "pg/listen.h"
#include "pipe/notify_source.h"
#include "pipe/realtime_link.h"
#include "pipe/realtime_outbox.h"
#include "proto/realtime_event.h"

namespace rt {
namespace {

NotifySourceOptions listen_options(const std::string& dsn, const std::string& channel) {
  NotifySourceOptions options;
  options.dsn = dsn;
  options.channels = {channel};
  options.reconnect.retry_first = true;
  options.reconnect.retry_refused = true;
  options.application_name = "rtctl serve realtime";
  return options;
}

class PostgresBus final : public RealtimeBus {
 public:
  PostgresBus(std::string dsn, std::string channel, LinkWatch watch, io::Wakeup closed)
      : dsn_(std::move(dsn)),
        channel_(std::move(channel)),
        closed_(std::move(closed)),
        link_(std::move(watch)),
        outbox_(link_),
        source_(listen_options(dsn_, channel_), link_.watch()) {}

  Result<void> run(std::stop_token stop, const Take& take) override {
    return link_.ended(source_.run(std::move(stop), take));
  }

  Result<void> publish(std::string_view, std::string_view event) override {
    if (event.size() > kRealtimeNotifyBytesMax) {
      return fail(Code::usage, fmt::format("payload too large for NOTIFY ({} > {} bytes)",
                                           event.size(), kRealtimeNotifyBytesMax));
    }
    return outbox_.send([this] { return connect(); }, is_alive,
                        [&](Connection& connection) { return notify(connection, event); });
  }
  std::size_t event_bytes_max() const override { return kRealtimeNotifyBytesMax; }

  RealtimeBusStatus status() const override { return link_.status(); }
  void on_change(std::function<void()> call) override { link_.on_change(std::move(call)); }
  void close() override { closed_.ring(); }

 private:
  Result<Connection> connect() {
    ConnectOptions options;
    options.application_name = "rtctl serve publish";
    options.connect_timeout = kRealtimePublishTimeout;
    options.cancel_fd = closed_.fd();
    return Connection::connect(dsn_, options);
  }

  // An idle server sends nothing but its farewell.
  static bool is_alive(Connection& connection) {
    const auto waited = connection.wait(POLLIN, Instant(), "cannot notify");
    return waited && *waited != Connection::Wait::ready;
  }

  Result<void> notify(Connection& connection, std::string_view event) {
    const std::string attempt = fmt::format("cannot notify channel \"{}\"", channel_);
    RT_CHECKED(connection.send(fmt::format("SELECT pg_notify({}, {})", connection.literal(channel_),
                                           connection.literal(event)),
                               attempt));
    const Instant deadline = SystemClock().now() + kRealtimePublishTimeout;
    if (!RT_TRY(connection.ready(deadline, attempt))) {
      return fail(Code::unreachable,
                  fmt::format("{} on {}: no answer in time", attempt, connection.endpoint()));
    }
    RT_TRY(connection.receive(attempt));
    return {};
  }

  const std::string dsn_;
  const std::string channel_;
  io::Wakeup closed_;
  RealtimeLink link_;
  RealtimeOutbox<Connection> outbox_;
  NotifySource source_;
};

}  // namespace

Result<std::unique_ptr<RealtimeBus>> realtime_over_postgres(const std::string& dsn,
                                                            const std::string& channel,
                                                            LinkWatch watch) {
  const std::string name = channel.empty() ? std::string(kRealtimePostgresChannel) : channel;
  RT_CHECKED(check_channel_name(name));
  return std::make_unique<PostgresBus>(dsn, name, std::move(watch), RT_TRY(io::Wakeup::create()));
}

}  // namespace rt
