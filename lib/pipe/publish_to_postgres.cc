#include "pipe/publish_to_postgres.h"

#include <fmt/format.h>

namespace rt {
namespace {

class NotifySink final : public PostgresPublishSink {
 public:
  NotifySink(PublishDatabase target, std::string channel)
      : PostgresPublishSink(std::move(target)), channel_(std::move(channel)) {}

 private:
  Result<PublishReceipt> execute(Connection& connection, const PublishMessage& message) override {
    const std::string& channel = message.channel.empty() ? channel_ : message.channel;
    RT_TRY(connection.query("select pg_notify($1, $2)", {channel, message.body},
                            fmt::format("cannot notify \"{}\"", channel)));
    return PublishReceipt{};
  }

  std::string channel_;
};

}  // namespace

Result<void> PostgresPublishSink::connect() {
  if (connection_) return {};
  ConnectOptions options;
  options.application_name = target_.application_name;
  options.cancel_fd = target_.cancel_fd;
  connection_ = RT_TRY(Connection::connect(target_.dsn, options));
  const Result<void> begun = begin(*connection_);
  if (!begun) connection_.reset();
  return begun;
}

Result<PublishReceipt> PostgresPublishSink::send(const PublishMessage& message) {
  RT_CHECKED(connect());
  auto done = execute(*connection_, message);
  if (done) return done;
  const Code code = done.error().code;
  if (code == Code::unreachable || code == Code::cancelled) connection_.reset();
  return done;
}

std::unique_ptr<PublishSink> publish_to_notify(PublishDatabase target, std::string channel) {
  return std::make_unique<NotifySink>(std::move(target), std::move(channel));
}

}  // namespace rt
