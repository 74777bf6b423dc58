#include "redis/pattern_subscriber.h"

#include <algorithm>

namespace rt {
namespace {

constexpr std::string_view kLost = "lost the subscription";

using Heard = RedisPatternSubscriber::Heard;

// ["psubscribe", pattern, count], ["punsubscribe", pattern, count], or a message.
std::optional<Heard> heard_in(RedisReply& reply) {
  if (auto message = redis_message_in(reply))
    return Heard{Heard::Kind::message, std::move(*message)};
  if (reply.kind != RedisReply::Kind::array || reply.items.size() != 3) return std::nullopt;
  const std::string& verb = reply.items[0].text;
  if (verb != "psubscribe" && verb != "punsubscribe") return std::nullopt;
  Heard heard;
  heard.kind = verb == "psubscribe" ? Heard::Kind::listening : Heard::Kind::ignoring;
  heard.message.pattern = std::move(reply.items[1].text);
  return heard;
}

}  // namespace

Result<void> RedisPatternSubscriber::listen(const std::vector<std::string>& patterns) {
  return ask("PSUBSCRIBE", patterns);
}

Result<void> RedisPatternSubscriber::ignore(const std::vector<std::string>& patterns) {
  return ask("PUNSUBSCRIBE", patterns);
}

Result<void> RedisPatternSubscriber::ask(std::string_view verb,
                                         const std::vector<std::string>& patterns) {
  // One command is read whole by the server before it answers: it stays small.
  constexpr std::size_t kPatternsPerCommand = 1000;
  RT_CHECK(!patterns.empty());
  for (std::size_t from = 0; from < patterns.size(); from += kPatternsPerCommand) {
    const std::size_t to = std::min(patterns.size(), from + kPatternsPerCommand);
    std::vector<std::string_view> words{verb};
    for (std::size_t i = from; i < to; ++i) words.push_back(patterns[i]);
    RT_CHECKED(connection_.send(words, "cannot listen"));
  }
  return {};
}

Result<std::optional<Heard>> RedisPatternSubscriber::next() {
  for (;;) {
    auto reply = RT_TRY(connection_.next(Instant(), kLost));
    if (!reply) return std::nullopt;
    if (reply->kind == RedisReply::Kind::error) {
      return fail(redis_error("cannot listen", connection_.endpoint(), reply->text));
    }
    if (auto heard = heard_in(*reply)) return heard;
  }
}

}  // namespace rt
