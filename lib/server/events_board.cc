#include "server/events_board.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "archive/bodies.h"
#include "proto/sse_writer.h"
#include "server/events_wire.h"

namespace rt::server {
namespace {

// Who joins while the broker is away is not kept waiting: heartbeats tell it that we are there.
constexpr std::string_view kAway =
    ": no connection to Redis: events come again after the next gap comment\n\n";
constexpr std::string_view kGapOver = ": gap: the connection to Redis was lost, and is back\n\n";
constexpr std::string_view kTooMany = ": closed: too many scopes are listened to\n\n";

// No scope has this name: it lacks an id.
constexpr std::string_view kEchoPattern = "rtctl serve drains";

// A broker that is there confirms within milliseconds.
constexpr std::chrono::seconds kConfirmedWithin{5};

void add(EventsCounts::Count& count, std::uint64_t by = 1) {
  count.fetch_add(by, std::memory_order_relaxed);
}
std::uint64_t value(const EventsCounts::Count& count) {
  return count.load(std::memory_order_relaxed);
}

bool is_same(const Asker& a, const Asker& b) {
  return a.shard == b.shard && a.connection.slot == b.connection.slot &&
         a.connection.generation == b.connection.generation;
}

}  // namespace

std::function<SurfaceHealth()> EventsBoard::health() const {
  return [counts = counts_, &broker = broker_] {
    SurfaceHealth health;
    if (broker.link() != EventsBroker::Link::up) {
      health.state = SurfaceHealth::State::degraded;
      health.reason = "no connection to Redis";
    }
    health.counts = {{"subscribers", value(counts->subscribers)},
                     {"hubs", value(counts->hubs)},
                     {"received", value(counts->received)},
                     {"delivered", value(counts->delivered)},
                     {"missed", value(counts->missed)},
                     {"published", value(counts->published)},
                     {"publish_failures", value(counts->publish_failures)},
                     {"unusable", value(counts->unusable)},
                     {"gaps", broker.gaps()}};
    return health;
  };
}

Result<void> EventsBoard::open(BoardPort& port) {
  port_ = &port;
  errands_ = RT_TRY(Errands::start(port.wakeup()));
  return {};
}

void EventsBoard::join(const Asker& subscriber, const Opening& opening) {
  const auto found = hubs_.find(opening.target);
  if (found == hubs_.end() && hubs_.size() == kHubsMax) {
    return port_->tell(subscriber, std::string(kTooMany), /*last=*/true);
  }
  Hub& hub = found == hubs_.end() ? hubs_[opening.target] : found->second;
  if (found == hubs_.end()) {
    hub.scope = opening.name;
    broker_.listen(scope_pattern(hub.scope));
    counts_->hubs.store(hubs_.size(), std::memory_order_relaxed);
  }
  ++hub.subscribers;
  add(counts_->subscribers);
  const EventsBroker::Link link = broker_.link();
  if (link == EventsBroker::Link::down) return port_->tell(subscriber, std::string(kAway));
  if (hub.listening) return port_->tell(subscriber, {});
  if (hub.waiting.empty()) {
    hub.waiting_since = port_->now();
    ++hubs_waiting_;
  }
  hub.waiting.push_back(subscriber);
}

void EventsBoard::part(const Asker& subscriber, const Hash128& target, bool /*gzip*/) {
  const auto found = hubs_.find(target);
  if (found == hubs_.end() || found->second.subscribers == 0) return;  // it was turned away
  Hub& hub = found->second;
  --hub.subscribers;
  counts_->subscribers.fetch_sub(1, std::memory_order_relaxed);
  if (hub.subscribers == 0) hub.empty_since = port_->now();
  const auto at = std::find_if(hub.waiting.begin(), hub.waiting.end(),
                               [&](const Asker& each) { return is_same(each, subscriber); });
  if (at == hub.waiting.end()) return;
  hub.waiting.erase(at);
  if (hub.waiting.empty()) --hubs_waiting_;
}

void EventsBoard::missed(const Hash128& /*target*/) {
  add(counts_->missed);
}

void EventsBoard::ask(const Asker& asker, Question question) {
  struct Publication {
    std::string channel;
    std::string envelope;
    Result<std::int64_t> outcome;
  };
  const auto job = std::make_shared<Publication>(
      Publication{std::move(question.name), std::move(question.text), 0});
  Errand errand;
  errand.work = [this, job] { job->outcome = broker_.publish(job->channel, job->envelope); };
  errand.done = [this, job, asker] {
    Answer answer;
    if (job->outcome) {
      add(counts_->published);
      answer.status = 202;
      answer.content_type = "application/json";
      answer.body = published_json(job->channel, *job->outcome);
    } else {
      add(counts_->publish_failures);
      answer.status = 503;
      answer.body = fmt::format("publish error: {}\n", job->outcome.error().text);
    }
    port_->answer(asker, std::move(answer));
  };
  if (errands_->submit(std::move(errand))) return;
  add(counts_->publish_failures);
  Answer answer;
  answer.status = 503;
  answer.body = "publish error: too many messages are waiting\n";
  port_->answer(asker, std::move(answer));
}

void EventsBoard::hear(const RecordView& record) {
  switch (record.kind) {
    case RecordKind::redis:
      if (const auto body = archive::decode_redis(record.body)) {
        return on_message(body->channel, body->payload);
      }
      return add(counts_->unusable);
    case RecordKind::mark:
      if (record.body == kEchoPattern) echo_ = Echo::over;
      return on_listening(record.body);
    case RecordKind::gap:
      if (echo_ == Echo::awaited) echo_ = Echo::over;  // what was on its way is lost
      return on_gap();
    default:
      return;
  }
}

void EventsBoard::on_message(std::string_view channel, std::string_view payload) {
  add(counts_->received);
  const Hash128 target = hash_name(Role::scope, scope_of_channel(channel));
  const auto found = hubs_.find(target);
  if (found == hubs_.end() || found->second.subscribers == 0) return;
  if (payload.size() > kEventBytesMax) {
    add(counts_->unusable);
    frame_.clear();
    sse::append_comment(
        frame_, fmt::format("gap: an event of {} bytes is too large to be sent", payload.size()));
    return send(target, frame_);
  }
  frame_.clear();
  append_event_frame(frame_, payload, options_.prefix);
  add(counts_->delivered, found->second.subscribers);
  send(target, frame_);
}

// The broker has the pattern: what is published from now on arrives, so whoever waited may know.
void EventsBoard::on_listening(std::string_view pattern) {
  const std::string_view scope = scope_of_channel(pattern);
  const auto found = hubs_.find(hash_name(Role::scope, scope));
  if (found == hubs_.end()) return;
  found->second.listening = true;
  release(found->second, {});
}

void EventsBoard::on_gap() {
  for (const auto& [target, hub] : hubs_) {
    if (hub.subscribers > 0) send(target, kGapOver);
  }
}

void EventsBoard::release(Hub& hub, std::string_view text) {
  if (hub.waiting.empty()) return;
  for (const Asker& subscriber : hub.waiting) port_->tell(subscriber, std::string(text));
  hub.waiting.clear();
  --hubs_waiting_;
}

void EventsBoard::release_overdue(WallTime now) {
  const bool is_down = broker_.link() == EventsBroker::Link::down;
  for (auto& [target, hub] : hubs_) {
    if (is_down || now - hub.waiting_since >= kConfirmedWithin) release(hub, kAway);
  }
}

void EventsBoard::send(const Hash128& target, std::string_view frame) {
  const std::array<std::uint64_t, 1> keys{target.low};
  EventBlock::Content content;
  content.surface = Surface::events;
  content.keys = keys;
  content.target = target;
  content.frame = frame;
  EventRef event = EventRef::adopt(EventBlock::create(content));
  if (waiting_.empty() && port_->has_room()) return port_->send(event);
  waiting_.push_back(std::move(event));
}

void EventsBoard::send_waiting() {
  while (!waiting_.empty() && port_->has_room()) {
    port_->send(waiting_.front());
    waiting_.pop_front();
  }
}

// Redis says that it listens on the connection on which messages come, after those that it was
// given before: a pattern that nobody uses tells when all that was published here is back.
bool EventsBoard::drain() {
  if (errands_->outstanding() > 0) return false;
  if (echo_ == Echo::none) {
    const bool is_up = broker_.link() == EventsBroker::Link::up && !hubs_.empty();
    echo_ = is_up ? Echo::awaited : Echo::over;
    if (is_up) broker_.listen(std::string(kEchoPattern));
  }
  return echo_ == Echo::over && waiting_.empty();
}

bool EventsBoard::turn() {
  errands_->finish();
  const WallTime now = port_->now();
  if (hubs_waiting_ > 0) release_overdue(now);
  // Eight looks in the time that a hub is kept, at most ten a second.
  const Duration every = std::clamp<Duration>(
      options_.hub_idle_timeout / 8, std::chrono::milliseconds(100), std::chrono::minutes(1));
  if (now - looked_ >= every) forget_idle(now);
  send_waiting();
  return !waiting_.empty();
}

void EventsBoard::tidy() {
  forget_idle(port_->now());
}

void EventsBoard::forget_idle(WallTime now) {
  looked_ = now;
  for (auto at = hubs_.begin(); at != hubs_.end();) {
    const Hub& hub = at->second;
    if (hub.subscribers == 0 && now - hub.empty_since >= options_.hub_idle_timeout) {
      broker_.ignore(scope_pattern(hub.scope));
      at = hubs_.erase(at);
    } else {
      ++at;
    }
  }
  counts_->hubs.store(hubs_.size(), std::memory_order_relaxed);
}

}  // namespace rt::server
