#include "server/topic_table.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "server/gzip_frames.h"
#include "server/topic_wire.h"

namespace rt::server {
namespace {

// Beyond its name: the entry of the table.
constexpr std::size_t kTopicBytes = 160;
constexpr std::string_view kGapOver =
    ": gap: the connection to the database was lost, and is back\n\n";

}  // namespace

Hash128 topic_target(std::string_view name) {
  return hash_name(Role::topic, name);
}

TopicTable::Topic& TopicTable::topic(const Hash128& target, const std::string& name) {
  Topic& found = topics_[target];
  if (found.name.empty()) found.name = name;
  return found;
}

void TopicTable::join(const Hash128& target, const std::string& name, bool gzip, WallTime now) {
  Topic& joined = topic(target, name);
  ++joined.subscribers;
  if (gzip) ++joined.gzip_subscribers;
  joined.last_activity = now;
}

void TopicTable::part(const Hash128& target, bool gzip, WallTime now) {
  const auto found = topics_.find(target);
  if (found == topics_.end()) return;
  --found->second.subscribers;
  if (gzip) --found->second.gzip_subscribers;
  found->second.last_activity = now;
}

void TopicTable::dropped(const Hash128& target) {
  const auto found = topics_.find(target);
  if (found != topics_.end()) ++found->second.dropped;
}

void TopicTable::published(const std::string& name, WallTime now) {
  Topic& spoken = topic(topic_target(name), name);
  ++spoken.published;
  spoken.last_activity = now;
}

void TopicTable::receive(const std::string& name, std::string_view data, WallTime now) {
  last_notification_ = now;
  const Hash128 target = topic_target(name);
  const auto found = topics_.find(target);
  if (found == topics_.end()) return;
  Topic& heard = found->second;
  heard.last_activity = now;
  if (heard.subscribers == 0) {
    ++heard.broadcast;
    return;
  }
  if (heard.ring.empty() && !heard.interrupted) turns_.push_back(target);
  if (heard.ring.size() == options_.ring_capacity) {
    heard.ring.pop_front();
    --waiting_;
    ++heard.missed;
    ++heard.untold;
  }
  heard.ring.emplace_back(data);
  ++waiting_;
}

void TopicTable::interrupted() {
  for (auto& [target, topic] : topics_) {
    if (topic.subscribers == 0 || topic.interrupted) continue;
    if (topic.ring.empty()) turns_.push_back(target);
    topic.interrupted = true;
  }
}

EventRef TopicTable::next() {
  if (turns_.empty()) return {};
  const Hash128 target = turns_.front();
  turns_.pop_front();
  Topic& topic = topics_.find(target)->second;  // kept while its turn is to come
  std::string frame;
  if (topic.interrupted) frame = kGapOver;
  topic.interrupted = false;
  if (topic.untold > 0) frame += fmt::format(": missed {} messages\n\n", topic.untold);
  topic.untold = 0;
  if (!topic.ring.empty()) {
    frame += topic_frame(topic.ring.front());
    topic.ring.pop_front();
    --waiting_;
    ++topic.broadcast;
    topic.delivered += topic.subscribers;
  }
  if (!topic.ring.empty()) turns_.push_back(target);
  std::string gzip_frame;
  if (topic.gzip_subscribers > 0) gzip_frame = gzip_blocks(frame);
  const std::array<std::uint64_t, 1> keys{target.low};
  EventBlock::Content content;
  content.surface = Surface::topics;
  content.keys = keys;
  content.target = target;
  content.frame = frame;
  content.gzip_frame = gzip_frame;
  content.held_back = topic.pending;
  return EventRef::adopt(EventBlock::create(content));
}

bool TopicTable::is_idle(const Topic& topic, WallTime now) const {
  return topic.subscribers == 0 && topic.ring.empty() && !topic.interrupted &&
         now - topic.last_activity >= options_.idle_timeout;
}

void TopicTable::forget_idle(WallTime now) {
  for (auto at = topics_.begin(); at != topics_.end();) {
    at = is_idle(at->second, now) ? topics_.erase(at) : std::next(at);
  }
}

std::string TopicTable::health_json(const Links& links, std::size_t limit, WallTime now) const {
  using nlohmann::ordered_json;
  Topic sum;
  std::size_t shown = 0;
  std::size_t bytes = 0;
  std::size_t idle = 0;
  ordered_json list = ordered_json::array();
  for (const auto& [target, topic] : topics_) {
    if (shown == limit) break;
    ++shown;
    std::size_t topic_bytes = kTopicBytes + topic.name.size();
    for (const std::string& waiting : topic.ring) topic_bytes += waiting.capacity();
    const std::uint64_t pending = topic.pending->load(std::memory_order_relaxed);
    *sum.pending += pending;
    list.push_back({{"topic", topic.name},
                    {"subscribers", topic.subscribers},
                    {"dispatch_depth", topic.ring.size()},
                    {"pending_to_clients", pending},
                    {"published", topic.published},
                    {"broadcast", topic.broadcast},
                    {"delivered_frames", topic.delivered},
                    {"dropped_clients", topic.dropped},
                    {"missed_messages", topic.missed},
                    {"memory_usage_bytes", topic_bytes},
                    {"last_activity_unix", unix_us(topic.last_activity) / 1'000'000},
                    {"is_idle", is_idle(topic, now)}});
    sum.subscribers += topic.subscribers;
    sum.published += topic.published;
    sum.broadcast += topic.broadcast;
    sum.delivered += topic.delivered;
    sum.dropped += topic.dropped;
    sum.missed += topic.missed;
    bytes += topic_bytes;
    idle += is_idle(topic, now) ? 1U : 0U;
  }
  const bool heard = unix_us(last_notification_) > 0;
  const ordered_json health = {
      {"go_version",
       "none: rtctl serve"},  // a field that ssepg's readers insist on, as the threads
      {"last_notification_at", heard ? format_rfc3339(last_notification_) : ""},
      {"now", format_rfc3339(now)},
      {"num_goroutine", links.threads},
      {"status", "ok"},
      {"topics", list},
      {"totals",
       {{"topics", shown},
        {"subscribers", sum.subscribers},
        {"dispatch_depth", waiting_},
        {"pending_to_clients", sum.pending->load()},
        {"published", sum.published},
        {"broadcast", sum.broadcast},
        {"delivered_frames", sum.delivered},
        {"dropped_clients", sum.dropped},
        {"missed_messages", sum.missed},
        {"total_memory_usage_bytes", bytes},
        {"idle_topics", idle},
        {"listen_connected", links.listening},
        {"notify_connected", links.notifying},
        {"reconnect_attempts", links.reconnects}}}};
  return health.dump() + "\n";
}

}  // namespace rt::server
