// The hub's part of the topics surface.
#include <fmt/format.h>

#include "archive/bodies.h"
#include "base/text.h"
#include "server/hub.h"
#include "server/topic_wire.h"

namespace rt::server {

void Hub::hear(const RecordBatch& batch) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].kind != RecordKind::notify) continue;
    const auto notified = archive::decode_notify(batch[i].body);
    const auto message = notified ? parse_topic_envelope(notified->payload) : std::nullopt;
    if (message) {
      hear(message->topic, message->data);
    } else {
      counters_.damaged_messages.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

void Hub::hear(const std::string& topic, std::string_view data) {
  const EventRef event = topics_.receive(topic, data, clock_.wall());
  if (event) send_to_subscribers(event);
}

// The subscriber is live from here on: what comes later through the ring it gets, and its preamble
// comes before it.
void Hub::join(std::size_t shard, ToHub& message) {
  directory_[message.target.low] |= std::uint64_t{1} << shard;
  topics_.join(message.target, message.name, message.gzip, clock_.wall());
  ToShard live;
  live.kind = ToShard::Kind::chunk;
  live.live = true;
  live.connection = message.connection;
  live.text = std::move(message.text);
  post(shard, std::move(live));
}

void Hub::say(std::size_t shard, ToHub& message) {
  TopicPublisher::Job job;
  job.shard = shard;
  job.connection = message.connection;
  job.topic = std::move(message.name);
  job.data = std::move(message.text);
  job.answer = fmt::format("{{\"data\":{},\"topic\":\"{}\"}}\n", job.data, job.topic);
  topics_.published(job.topic, clock_.wall());
  if (topic_publisher_ == nullptr) {
    hear(job.topic, job.data);
    return reply(shard, job.connection, 200, std::move(job.answer));
  }
  if (!topic_publisher_->submit(std::move(job))) {
    reply(shard, message.connection, 503, "publish error: too many messages are waiting\n");
  }
}

void Hub::answer_said() {
  TopicPublisher::Job job;
  while (topic_publisher_ != nullptr && topic_publisher_->take_done(job)) {
    if (job.outcome) {
      reply(job.shard, job.connection, 200, std::move(job.answer));
    } else {
      reply(job.shard, job.connection, 503,
            fmt::format("publish error: {}\n", job.outcome.error().text));
    }
  }
}

void Hub::tell_topics_health(std::size_t shard, const ToHub& message) {
  const TopicBoard::Links links =
      options_.topic_links ? options_.topic_links() : TopicBoard::Links{};
  const std::size_t limit = parse_decimal(message.text).value_or(SIZE_MAX);
  reply(shard, message.connection, 200, topics_.health_json(links, limit, clock_.wall()));
}

}  // namespace rt::server
