#include "pipe/publish_to_redis.h"

#include <fmt/format.h>

#include <optional>

namespace rt {
namespace {

class RedisSink : public PublishSink {
 public:
  explicit RedisSink(RedisTarget target) : target_(std::move(target)) {}

  Result<void> connect() override {
    if (connection_) return {};
    RedisOptions options;
    options.client_name = target_.client_name;
    options.cancel_fd = target_.cancel_fd;
    connection_ = RT_TRY(RedisConnection::connect(target_.address, options));
    return {};
  }

  Result<PublishReceipt> send(const PublishMessage& message) override {
    RT_CHECKED(connect());
    auto done = execute(*connection_, message);
    if (done) return done;
    const Code code = done.error().code;
    if (code == Code::unreachable || code == Code::cancelled) connection_.reset();
    return done;
  }

 protected:
  virtual Result<PublishReceipt> execute(RedisConnection& connection,
                                         const PublishMessage& message) = 0;

 private:
  RedisTarget target_;
  std::optional<RedisConnection> connection_;
};

class ChannelSink final : public RedisSink {
 public:
  ChannelSink(RedisTarget target, std::string channel)
      : RedisSink(std::move(target)), channel_(std::move(channel)) {}

 private:
  Result<PublishReceipt> execute(RedisConnection& connection,
                                 const PublishMessage& message) override {
    const std::string& channel = message.channel.empty() ? channel_ : message.channel;
    const RedisReply reply = RT_TRY(connection.command(
        {"PUBLISH", channel, message.body}, fmt::format("cannot publish to \"{}\"", channel)));
    return PublishReceipt{{}, reply.integer};
  }

  std::string channel_;
};

class StreamSink final : public RedisSink {
 public:
  StreamSink(RedisTarget target, std::string stream, std::string field, std::size_t entries_max)
      : RedisSink(std::move(target)),
        stream_(std::move(stream)),
        field_(std::move(field)),
        entries_max_(std::to_string(entries_max)) {}

 private:
  Result<PublishReceipt> execute(RedisConnection& connection,
                                 const PublishMessage& message) override {
    const std::string& stream = message.channel.empty() ? stream_ : message.channel;
    RedisReply reply = RT_TRY(
        connection.command({"XADD", stream, "MAXLEN", "~", entries_max_, "*", field_, message.body},
                           fmt::format("cannot append to stream \"{}\"", stream)));
    return PublishReceipt{std::move(reply.text), {}};
  }

  std::string stream_;
  std::string field_;
  std::string entries_max_;
};

}  // namespace

std::unique_ptr<PublishSink> publish_to_channel(RedisTarget target, std::string channel) {
  return std::make_unique<ChannelSink>(std::move(target), std::move(channel));
}

std::unique_ptr<PublishSink> publish_to_stream(RedisTarget target, std::string stream,
                                               std::string field, std::size_t entries_max) {
  return std::make_unique<StreamSink>(std::move(target), std::move(stream), std::move(field),
                                      entries_max);
}

}  // namespace rt
