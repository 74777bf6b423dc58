#include "redis/publisher.h"

#include <fmt/format.h>

namespace rt {

Result<std::int64_t> RedisPublisher::publish(std::string_view channel, std::string_view payload) {
  if (last_failure_ && clock_.now() - failed_at_ < kRest) return fail(*last_failure_);
  last_failure_.reset();
  const bool had_connection = connection_.has_value();
  auto heard = try_once(channel, payload);
  const bool was_lost = !heard && heard.error().code == Code::unreachable;
  if (was_lost && had_connection) heard = try_once(channel, payload);
  if (!heard && heard.error().code == Code::unreachable) {
    last_failure_ = heard.error();
    failed_at_ = clock_.now();
  }
  return heard;
}

Result<std::int64_t> RedisPublisher::try_once(std::string_view channel, std::string_view payload) {
  RT_CHECKED(connect());
  const auto reply = connection_->command({"PUBLISH", channel, payload},
                                          fmt::format("cannot publish to \"{}\"", channel));
  if (reply) return reply->integer;
  const Code code = reply.error().code;
  if (code == Code::unreachable || code == Code::cancelled) connection_.reset();
  return fail(reply.error());
}

Result<void> RedisPublisher::connect() {
  if (!connection_) connection_ = RT_TRY(RedisConnection::connect(address_, options_));
  return {};
}

}  // namespace rt
