#include "pipe/redis_patterns_source.h"

#include <array>
#include <unordered_map>
#include <utility>

#include "archive/bodies.h"
#include "io/poller.h"
#include "pipe/redis_source.h"
#include "pipe/sessions.h"
#include "redis/pattern_subscriber.h"

namespace rt {
namespace {

constexpr std::string_view kGap =
    "connection lost: what was published until it was back is lost for this subscriber";

}  // namespace

// One connection, from its first request to its end.
class RedisPatternsSource::Session {
 public:
  Session(RedisPatternSubscriber subscriber, Outlet& outlet)
      : subscriber_(std::move(subscriber)), outlet_(outlet) {}

  Result<void> apply(const std::vector<Change>& changes);

  // Hands on what is there, a piece of it. True: more may be.
  Result<bool> read();

  bool all_confirmed() const { return awaited_ == 0; }
  std::uint64_t messages() const { return messages_; }  // since the start
  int socket() const { return subscriber_.socket(); }

 private:
  // A pattern that was asked for on this connection. It may have been asked for, given up, and
  // asked for again before the server has confirmed the first: the last confirmation counts.
  struct Asked {
    bool wanted = false;
    std::uint32_t awaited = 0;
  };

  void on_message(const RedisMessage& message);
  void on_listening(const std::string& pattern);
  void on_ignoring(const std::string& pattern);

  RedisPatternSubscriber subscriber_;
  Outlet& outlet_;
  RedisOverlap overlap_;
  std::unordered_map<std::string, Asked> asked_;
  std::size_t awaited_ = 0;  // of all patterns
  std::uint64_t messages_ = 0;
  std::string body_;
};

Result<void> RedisPatternsSource::Session::apply(const std::vector<Change>& changes) {
  std::vector<std::string> listen;
  std::vector<std::string> ignore;
  for (const Change& change : changes) {
    Asked& asked = asked_[change.pattern];
    if (std::exchange(asked.wanted, change.wanted) == change.wanted) {
      if (change.wanted && asked.awaited == 0) outlet_.put(RecordKind::mark, change.pattern);
      // Asked for and given up between two looks.
      if (!change.wanted && asked.awaited == 0) asked_.erase(change.pattern);
    } else if (change.wanted) {
      ++asked.awaited;
      ++awaited_;
      listen.push_back(change.pattern);
    } else {
      ignore.push_back(change.pattern);
    }
  }
  if (!listen.empty()) RT_CHECKED(subscriber_.listen(listen));
  if (!ignore.empty()) RT_CHECKED(subscriber_.ignore(ignore));
  return {};
}

Result<bool> RedisPatternsSource::Session::read() {
  // So that changes of the set and a stop are seen within a flood of messages too.
  constexpr int kReadsPerTurn = 1024;
  using Kind = RedisPatternSubscriber::Heard::Kind;
  for (int reads = 0; reads < kReadsPerTurn; ++reads) {
    const auto heard = RT_TRY(subscriber_.next());
    if (!heard) return false;
    if (heard->kind == Kind::message) {
      on_message(heard->message);
    } else if (heard->kind == Kind::listening) {
      on_listening(heard->message.pattern);
    } else {
      on_ignoring(heard->message.pattern);
    }
    if (outlet_.due() && !outlet_.hand_over()) return false;
  }
  return true;
}

void RedisPatternsSource::Session::on_message(const RedisMessage& message) {
  if (overlap_.is_repeated(message)) return;
  body_.clear();
  archive::encode(body_, archive::RedisBody{{}, message.channel, message.payload});
  outlet_.put(RecordKind::redis, body_);
  ++messages_;
}

void RedisPatternsSource::Session::on_listening(const std::string& pattern) {
  const auto found = asked_.find(pattern);
  if (found == asked_.end() || found->second.awaited == 0) return;
  --awaited_;
  if (--found->second.awaited == 0 && found->second.wanted) outlet_.put(RecordKind::mark, pattern);
}

void RedisPatternsSource::Session::on_ignoring(const std::string& pattern) {
  const auto found = asked_.find(pattern);
  if (found != asked_.end() && !found->second.wanted && found->second.awaited == 0) {
    asked_.erase(found);
  }
}

Result<std::unique_ptr<RedisPatternsSource>> RedisPatternsSource::create(
    RedisPatternsOptions options, LinkWatch watch) {
  io::Wakeup wakeup = RT_TRY(io::Wakeup::create());
  return std::unique_ptr<RedisPatternsSource>(
      new RedisPatternsSource(std::move(options), std::move(watch), std::move(wakeup)));
}

void RedisPatternsSource::listen(const std::string& pattern) {
  {
    const std::lock_guard lock(mutex_);
    wanted_.insert(pattern);
    changed_.insert(pattern);
  }
  changes_.ring();
}

void RedisPatternsSource::ignore(const std::string& pattern) {
  {
    const std::lock_guard lock(mutex_);
    if (wanted_.erase(pattern) == 0) return;
    changed_.insert(pattern);
  }
  changes_.ring();
}

std::vector<RedisPatternsSource::Change> RedisPatternsSource::take_changes() {
  const std::lock_guard lock(mutex_);
  std::vector<Change> changes;
  for (const std::string& pattern : changed_) {
    changes.push_back({pattern, wanted_.count(pattern) > 0});
  }
  changed_.clear();
  return changes;
}

std::vector<RedisPatternsSource::Change> RedisPatternsSource::take_all() {
  const std::lock_guard lock(mutex_);
  changed_.clear();
  std::vector<Change> all;
  for (const std::string& pattern : wanted_) all.push_back({pattern, true});
  return all;
}

Result<void> RedisPatternsSource::run(std::stop_token stop, const Take& take) {
  return run_sessions(options_.reconnect, watch_, stop, take,
                      [this](Reconnector& link, Outlet& outlet, int cancel_fd) {
                        const Result<void> ended = session(link, outlet, cancel_fd);
                        link_.store(Link::down, std::memory_order_relaxed);
                        return ended;
                      });
}

// Success: the taker has failed.
Result<void> RedisPatternsSource::session(Reconnector& link, Outlet& outlet, int cancel_fd) {
  RedisOptions connect;
  connect.client_name = options_.client_name;
  connect.cancel_fd = cancel_fd;
  Session session(
      RedisPatternSubscriber(RT_TRY(RedisConnection::connect(options_.address, connect))), outlet);
  const std::vector<Change> patterns = take_all();
  RT_CHECKED(session.apply(patterns));
  io::Poller poller = RT_TRY(io::Poller::create());
  RT_CHECKED(poller.watch(session.socket(), 0, io::Interest::read));
  RT_CHECKED(poller.watch(changes_.fd(), 1, io::Interest::read));
  RT_CHECKED(poller.watch(cancel_fd, 2, io::Interest::read));
  const SystemClock clock;
  std::array<io::Ready, 3> ready;
  for (bool is_open = false;;) {
    const std::uint64_t before = session.messages();
    const bool more = RT_TRY(session.read());
    events_.fetch_add(session.messages() - before, std::memory_order_relaxed);
    if (!is_open && session.all_confirmed()) {
      is_open = true;
      if (link.opened()) reconnects_.fetch_add(1, std::memory_order_relaxed);
      if (link_.exchange(Link::up, std::memory_order_relaxed) == Link::down && !patterns.empty()) {
        outlet.put(RecordKind::gap, kGap);
        gaps_.fetch_add(1, std::memory_order_relaxed);
      }
    }
    if (session.messages() != before) link.received();
    if (!outlet.hand_over()) return {};
    if (is_open) link.caught_up();
    const Instant now = clock.now();
    const std::size_t count = poller.wait(ready, more ? std::optional(now) : std::nullopt, now);
    for (std::size_t i = 0; i < count; ++i) {
      if (ready[i].token == 2) return fail(Code::cancelled, "stopped");
    }
    changes_.answer();
    RT_CHECKED(session.apply(take_changes()));
  }
}

}  // namespace rt
