#include "pipe/realtime_intake.h"

#include <functional>

#include "archive/bodies.h"

namespace rt {
namespace {

void count(std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

std::optional<RealtimeHeard> RealtimeIntake::take(const RecordView& record) {
  if (record.kind == RecordKind::notify) {
    const auto body = archive::decode_notify(record.body);
    return body ? judge(body->channel, body->payload) : std::nullopt;
  }
  if (record.kind != RecordKind::redis) return std::nullopt;
  const auto body = archive::decode_redis(record.body);
  if (!body) return std::nullopt;
  const auto entry = body->id.empty() ? std::nullopt : RedisEntryId::parse(body->id);
  if (entry) last_entry_ = entry;
  text_.clear();
  append_redis_data(text_, *body);
  auto heard = judge(body->channel, text_);
  if (heard) heard->entry = entry;
  return heard;
}

std::optional<RealtimeHeard> RealtimeIntake::judge(std::string_view channel,
                                                   std::string_view payload) {
  auto event = parse_realtime_event(payload);
  if (!event) {
    count(counts_.malformed);
    return std::nullopt;
  }
  const bool own = !event->origin.empty() && event->origin == origin_;
  if (own) count(counts_.own);
  if (own && drops_own_) return std::nullopt;
  // Without an id of ours the same text twice may be two events, unless it came by two channels.
  const bool named = !event->id.empty() && !event->origin.empty();
  const std::size_t by = named ? kEveryChannel : std::hash<std::string_view>()(channel) | 1U;
  if (is_repeated(named ? event->id : event->json, by)) {
    count(counts_.repeated);
    return std::nullopt;
  }
  count(counts_.heard);
  return RealtimeHeard{std::move(*event), std::nullopt};
}

bool RealtimeIntake::is_repeated(std::string_view key, std::size_t channel) {
  const std::size_t hash = std::hash<std::string_view>()(key);
  const auto [found, added] = remembered_.emplace(hash, channel);
  if (!added) return channel == kEveryChannel || found->second != channel;
  order_.push_back(hash);
  if (order_.size() > kRememberedMax) {
    remembered_.erase(order_.front());
    order_.pop_front();
  }
  return false;
}

}  // namespace rt
