// WalReader beside the stream: what it tells of the connection, in order with the records.
#include <utility>

#include "pipe/wal_reader.h"
#include "proto/pgoutput.h"

namespace rt {

void WalReader::tell_open() {
  if (std::exchange(open_told_, true)) return;
  const bool again = std::exchange(was_open_, true);
  if (watch_.on_open) writer_.post([&watch = watch_, again] { watch.on_open(again); });
}

void WalReader::tell_retry(const Error& reason, Duration delay) {
  if (!watch_.on_retry) return;
  writer_.post([&watch = watch_, reason, delay, failures = backoff_.failures()] {
    watch.on_retry(reason, delay, failures);
  });
}

bool WalReader::begins_news(const StreamMessage& message) const {
  if (message.kind != StreamMessage::Kind::wal || !message.payload.starts_with('B')) return false;
  const auto decoded = pgoutput::decode(message.payload);
  const auto* begin = std::get_if<pgoutput::Begin>(&decoded.message);
  return begin != nullptr && begin->final_lsn >= news_lsn_;
}

bool WalReader::ends_past(const StreamMessage& message) const {
  if (message.kind == StreamMessage::Kind::keepalive) return message.wal_end >= news_lsn_;
  if (message.kind != StreamMessage::Kind::wal || !message.payload.starts_with('C')) return false;
  const auto decoded = pgoutput::decode(message.payload);
  const auto* commit = std::get_if<pgoutput::Commit>(&decoded.message);
  return commit != nullptr && commit->end_lsn >= news_lsn_;
}

Result<void> WalReader::tell_caught_up(ReplicationStream& stream) {
  if (std::exchange(caught_up_, true)) return {};
  RT_CHECKED(hand_over(stream));
  if (watch_.on_caught_up) writer_.post([&watch = watch_] { watch.on_caught_up(); });
  return {};
}

}  // namespace rt
