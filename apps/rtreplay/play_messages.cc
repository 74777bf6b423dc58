#include "rtreplay/play_messages.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "archive/bodies.h"
#include "base/text.h"
#include "base/units.h"
#include "pg/target_check.h"
#include "pipe/backoff.h"
#include "pipe/publish_to_postgres.h"
#include "pipe/publish_to_redis.h"

namespace rt::rtreplay {
namespace {

constexpr const char* kName = "rtreplay-play";
constexpr const char* kChannel = "rtreplay";
constexpr const char* kField = "data";
// A replay is for now, not for keeping: some minutes at a high rate.
constexpr std::size_t kStreamEntriesMax = 1'000'000;

bool is_http(std::string_view to) {
  return to.substr(0, 7) == "http://" || to.substr(0, 8) == "https://";
}

bool is_local_url(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  std::string_view host = url.substr(0, url.find_first_of("/?#"));
  if (const auto at = host.rfind('@'); at != host.npos) host.remove_prefix(at + 1);
  if (!host.empty() && host[0] == '[') return host.substr(0, 5) == "[::1]";
  host = host.substr(0, host.find(':'));
  return host == "localhost" || host.substr(0, 4) == "127.";
}

std::string or_default(const std::string& channel) {
  return channel.empty() ? kChannel : channel;
}

Result<std::unique_ptr<PublishSink>> make_peer(const std::string& to, const MessageTarget& target,
                                               int cancel_fd, HttpStatusCounts* statuses) {
  if (is_http(to)) return publish_to_http(to, {}, {}, statuses);
  if (to == "notify") {
    return publish_to_notify({target.pg, cancel_fd, kName}, or_default(target.channel));
  }
  RedisTarget redis{RT_TRY(parse_redis_url(to)), cancel_fd, kName};
  if (!target.stream.empty()) {
    return publish_to_stream(std::move(redis), target.stream, kField, kStreamEntriesMax);
  }
  return publish_to_channel(std::move(redis), or_default(target.channel));
}

}  // namespace

Result<void> check_message_target(const std::string& to, const MessageTarget& target) {
  if (!target.stream.empty() && to.substr(0, 8) != "redis://") {
    return fail(Code::usage, "--to-stream is for --to redis://.. alone");
  }
  if (to.substr(0, 8) == "redis://") {
    RT_TRY(parse_redis_url(to));
    return {};
  }
  const bool local = is_http(to) ? is_local_url(to) : RT_TRY(is_local_database(target.pg));
  if (local || target.yes) return {};
  return fail(Code::usage, "the target is not on this machine",
              "say --yes if it is the one to send to");
}

MessageSink::MessageSink(std::string to, int cancel_fd)
    : to_(std::move(to)),
      cancel_fd_(cancel_fd),
      by_notify_(to_ == "notify"),
      random_(static_cast<std::uint64_t>(::getpid())) {}

Result<std::unique_ptr<MessageSink>> MessageSink::open(const std::string& to,
                                                       const MessageTarget& target, int cancel_fd) {
  auto sink = std::unique_ptr<MessageSink>(new MessageSink(to, cancel_fd));
  if (is_http(to)) sink->statuses_ = std::make_unique<HttpStatusCounts>();
  sink->peer_ = RT_TRY(make_peer(to, target, cancel_fd, sink->statuses_.get()));
  RT_CHECKED(sink->peer_->connect());
  return sink;
}

Result<void> MessageSink::put(const RecordView& record) {
  tracker_.take(record);
  if (record.prelude) return put_lines(record);  // describes; makes no line
  PublishMessage message;
  switch (record.kind) {
    case RecordKind::sse:
      if (const auto event = archive::decode_sse(record.body)) {
        message.body = event->data;
        message.idempotency_key = event->id;
        return send(std::move(message));
      }
      return {};
    case RecordKind::notify:
      if (const auto event = archive::decode_notify(record.body)) {
        message.body = event->payload;
        if (by_notify_) message.channel = event->channel;
        return send(std::move(message));
      }
      return {};
    case RecordKind::redis:
      if (const auto event = archive::decode_redis(record.body); event && event->id.empty()) {
        message.body = event->payload;
        if (!by_notify_ && !statuses_) message.channel = event->channel;
        return send(std::move(message));
      }
      return put_lines(record);
    case RecordKind::wal:
      return put_lines(record);
    default:
      return {};
  }
}

Result<void> MessageSink::put_lines(const RecordView& record) {
  lines_.clear();
  printer_.print(record, tracker_.position(), lines_);
  if (record.prelude) return {};
  Position at = tracker_.position();
  for (const std::string_view line : split(lines_, '\n')) {
    if (line.empty()) continue;
    PublishMessage message;
    message.body = line;
    message.idempotency_key = at.text();
    fit_notification(message, at);
    RT_CHECKED(send(std::move(message)));
    ++at.index;
  }
  return {};
}

void MessageSink::fit_notification(PublishMessage& message, const Position& at) {
  if (!by_notify_ || message.body.size() <= kNotifyPayloadBytesMax) return;
  ++references_;
  message.body = fmt::format("{{\"id\":\"{}\",\"too_large\":{}}}", at.text(), message.body.size());
}

Result<void> MessageSink::send(PublishMessage message) {
  Backoff backoff(random_);
  for (int tries = 1;; ++tries) {
    const auto sent = peer_->send(message);
    if (sent) {
      ++sent_;
      return {};
    }
    const Error& error = sent.error();
    if (error.code == Code::unreachable && tries < kTriesMax) {
      ++repeated_;
      RT_CHECKED(pause_for(backoff.next(), cancel_fd_));
      continue;
    }
    if (error.code == Code::unreachable || error.code == Code::cancelled || !statuses_) {
      return fail(error);
    }
    // One message that a server does not take says nothing of the next.
    if (refused_++ == 0) first_refusal_ = error.text;
    return {};
  }
}

Result<void> MessageSink::close() {
  if (refused_ == 0) return {};
  return fail(Code::refused, fmt::format("{} of {} messages were refused; the first: {}", refused_,
                                         refused_ + sent_, first_refusal_));
}

void MessageSink::report() const {
  std::string line = fmt::format("sent {} messages", format_count(sent_));
  const auto add = [&](std::uint64_t n, const char* what) {
    if (n > 0) line += fmt::format(", {} {}", format_count(n), what);
  };
  add(repeated_, "tries repeated");
  add(references_, "too large for NOTIFY and sent as their id");
  if (statuses_) {
    for (std::size_t level = 1; level < statuses_->size(); ++level) {
      if ((*statuses_)[level] == 0) continue;
      line += fmt::format(", {}xx {}", level, format_count((*statuses_)[level]));
    }
    add((*statuses_)[0], "without an answer");
  }
  std::fprintf(stderr, "rtreplay: %s\n", line.c_str());
}

}  // namespace rt::rtreplay
