#include "redis/subscriber.h"

#include <fmt/format.h>

namespace rt {
namespace {

constexpr std::string_view kAttempt = "cannot listen";
// For all confirmations together.
constexpr Duration kConfirmTimeout = std::chrono::seconds(10);

}  // namespace

std::optional<RedisMessage> redis_message_in(RedisReply& reply) {
  if (reply.kind != RedisReply::Kind::array || reply.items.empty()) return std::nullopt;
  std::vector<RedisReply>& items = reply.items;
  if (items[0].text == "message" && items.size() == 3) {
    return RedisMessage{{}, std::move(items[1].text), std::move(items[2].text)};
  }
  if (items[0].text == "pmessage" && items.size() == 4) {
    return RedisMessage{std::move(items[1].text), std::move(items[2].text),
                        std::move(items[3].text)};
  }
  return std::nullopt;
}

Result<RedisSubscriber> RedisSubscriber::subscribe(RedisConnection connection,
                                                   const std::vector<std::string>& channels) {
  return start(std::move(connection), "SUBSCRIBE", channels);
}

Result<RedisSubscriber> RedisSubscriber::psubscribe(RedisConnection connection,
                                                    const std::vector<std::string>& patterns) {
  return start(std::move(connection), "PSUBSCRIBE", patterns);
}

Result<RedisSubscriber> RedisSubscriber::start(RedisConnection connection, std::string_view verb,
                                               const std::vector<std::string>& names) {
  RT_CHECK(!names.empty());
  std::vector<std::string_view> words{verb};
  words.insert(words.end(), names.begin(), names.end());
  RedisSubscriber subscriber(std::move(connection));
  RedisConnection& link = subscriber.connection_;
  RT_CHECKED(link.send(words, kAttempt));
  const Instant deadline = SystemClock().now() + kConfirmTimeout;
  for (std::size_t confirmed = 0; confirmed < names.size();) {
    auto reply = RT_TRY(link.next(deadline, kAttempt));
    if (!reply) {
      return fail(Code::unreachable,
                  fmt::format("{} on {}: no confirmation in time", kAttempt, link.endpoint()));
    }
    if (reply->kind == RedisReply::Kind::error) {
      return fail(redis_error(kAttempt, link.endpoint(), reply->text));
    }
    if (auto message = redis_message_in(*reply)) {
      subscriber.early_.push_back(std::move(*message));
    } else {
      ++confirmed;
    }
  }
  return subscriber;
}

Result<std::optional<RedisMessage>> RedisSubscriber::next(Instant deadline) {
  if (!early_.empty()) {
    RedisMessage message = std::move(early_.front());
    early_.pop_front();
    return message;
  }
  for (;;) {
    auto reply = RT_TRY(connection_.next(deadline, "lost the subscription"));
    if (!reply) return std::nullopt;
    if (reply->kind == RedisReply::Kind::error) {
      return fail(redis_error(kAttempt, connection_.endpoint(), reply->text));
    }
    if (auto message = redis_message_in(*reply)) return message;
  }
}

Result<void> RedisSubscriber::ping() {
  return connection_.send({"PING"}, "lost the subscription");
}

}  // namespace rt
