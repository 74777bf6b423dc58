// A changing set of patterns over one connection to a real Redis, and publishing to it.
#include <catch2/catch.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "archive/bodies.h"
#include "integration/patience.h"
#include "integration/private_redis.h"
#include "pipe/redis_patterns_source.h"
#include "redis/publisher.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;
using Link = RedisPatternsSource::Link;

// A running source, and what it yields, as text: "+gym:1:*" (listening), "gym:1:a=x", "gap".
class Listening {
 public:
  explicit Listening(const std::string& url) {
    RedisPatternsOptions options;
    options.address = *parse_redis_url(url);
    options.reconnect.retry_first = true;
    auto made = RedisPatternsSource::create(std::move(options));
    REQUIRE(made);
    source_ = std::move(*made);
  }
  void start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      ended_ = source_->run(stop, [this](RecordBatch& batch) {
        take(batch);
        return Result<void>();
      });
    });
  }
  Result<void> stop() {
    thread_.request_stop();
    thread_.join();
    return ended_;
  }
  RedisPatternsSource* operator->() { return source_.get(); }

  // The next one; "nothing" when it does not come in time.
  std::string next(Duration patience = 20s) {
    std::unique_lock lock(mutex_);
    if (!came_.wait_for(lock, patience, [this] { return !heard_.empty(); })) return "nothing";
    std::string text = std::move(heard_.front());
    heard_.pop_front();
    return text;
  }

 private:
  void take(const RecordBatch& batch) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].kind == RecordKind::mark) {
        heard_.push_back("+" + std::string(batch[i].body));
      } else if (batch[i].kind == RecordKind::gap) {
        heard_.emplace_back("gap");
      } else if (const auto body = archive::decode_redis(batch[i].body)) {
        heard_.push_back(std::string(body->channel) + "=" + std::string(body->payload));
      }
    }
    came_.notify_all();
  }

  std::unique_ptr<RedisPatternsSource> source_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::string> heard_;
  Result<void> ended_;
  std::jthread thread_;
};

TEST_CASE("redis patterns: what is published after a mark comes", "[redis_patterns]") {
  const PrivateRedis redis;
  Listening listening(redis.url());
  listening->listen("gym:1:*");  // before it is connected
  listening.start();
  CHECK(listening.next() == "+gym:1:*");
  CHECK(eventually(10s, [&] { return listening->link() == Link::up; }));
  for (int i = 2; i < 60; ++i) {
    const std::string scope = "gym:" + std::to_string(i);
    listening->listen(scope + ":*");
    REQUIRE(listening.next() == "+" + scope + ":*");
    redis.command({"PUBLISH", scope + ":a", "x"});
    redis.command({"PUBLISH", "org:1:a", "not asked for"});
    REQUIRE(listening.next() == scope + ":a=x");
  }
  CHECK(redis.command({"PUBSUB", "NUMPAT"}).integer == 59);
  CHECK(listening->events() == 58);
  CHECK(listening.stop());
}

TEST_CASE("redis patterns: a pattern that is given up is not listened to", "[redis_patterns]") {
  const PrivateRedis redis;
  Listening listening(redis.url());
  listening.start();
  listening->listen("a:*");
  CHECK(listening.next() == "+a:*");
  listening->listen("a:*");
  CHECK(listening.next() == "+a:*");  // each is answered
  listening->ignore("a:*");
  listening->ignore("b:*");  // never asked for
  CHECK(eventually(10s, [&] { return redis.command({"PUBSUB", "NUMPAT"}).integer == 0; }));
  // In one breath, over and over: the last word counts, and its mark is true.
  for (int i = 0; i < 200; ++i) {
    listening->listen("a:*");
    listening->ignore("a:*");
  }
  listening->listen("a:*");
  std::string text;
  const bool heard = eventually(20s, [&] {
    redis.command({"PUBLISH", "a:b", "x"});
    while ((text = listening.next(0s)) == "+a:*") {
    }
    return text == "a:b=x";
  });
  CHECK(heard);
  CHECK(redis.command({"PUBSUB", "NUMPAT"}).integer == 1);
}

TEST_CASE("redis patterns: a message comes once, however many patterns match", "[redis_patterns]") {
  const PrivateRedis redis;
  Listening listening(redis.url());
  listening.start();
  for (const char* pattern : {"gym:*", "gym:1:*", "*"}) {
    listening->listen(pattern);
    CHECK(listening.next() == "+" + std::string(pattern));
  }
  for (int i = 0; i < 20; ++i) {
    redis.command({"PUBLISH", "gym:1:a", std::to_string(i)});
    CHECK(listening.next() == "gym:1:a=" + std::to_string(i));
  }
  CHECK(listening.next(50ms) == "nothing");
}

TEST_CASE("redis patterns: after a crash of the server every pattern is back, with one gap",
          "[redis_patterns]") {
  PrivateRedis redis;
  Listening listening(redis.url());
  listening.start();
  std::vector<std::string> patterns;
  for (int i = 0; i < 2500; ++i) patterns.push_back("s:" + std::to_string(i) + ":*");
  for (const std::string& pattern : patterns) listening->listen(pattern);
  std::set<std::string> marks;
  while (marks.size() < patterns.size()) REQUIRE(marks.insert(listening.next()).second);
  redis.kill_9();
  CHECK(eventually(10s, [&] { return listening->link() == Link::down; }));
  listening->listen("new:*");  // while there is no server
  listening->ignore("s:0:*");
  redis.start();
  marks.clear();
  for (std::string text; (text = listening.next()) != "gap";) {
    REQUIRE(text.front() == '+');
    marks.insert(text);
  }
  CHECK(marks.size() == patterns.size());
  CHECK(marks.count("+new:*") == 1);
  CHECK(marks.count("+s:0:*") == 0);
  CHECK(listening->link() == Link::up);
  CHECK(listening->gaps() == 1);
  redis.command({"PUBLISH", "s:0:a", "x"});
  redis.command({"PUBLISH", "s:2499:a", "x"});
  CHECK(listening.next() == "s:2499:a=x");
}

TEST_CASE("redis patterns: a server that comes late is a gap for who waited", "[redis_patterns]") {
  PrivateRedis redis;
  redis.kill_9();
  Listening listening(redis.url());
  listening->listen("a:*");
  CHECK(listening->link() == Link::connecting);
  listening.start();
  CHECK(eventually(10s, [&] { return listening->link() == Link::down; }));
  redis.start();
  CHECK(listening.next() == "+a:*");
  CHECK(listening.next() == "gap");
}

TEST_CASE("redis patterns: a flood holds up neither a change nor a stop", "[redis_patterns]") {
  const PrivateRedis redis;
  Listening listening(redis.url());
  listening.start();
  listening->listen("flood");
  CHECK(listening.next() == "+flood");
  std::jthread flood([&](const std::stop_token& stop) {
    RedisConnection link = redis.connect();
    while (!stop.stop_requested()) {
      for (int i = 0; i < 200; ++i) (void)link.send({"PUBLISH", "flood", "x"}, "flood");
      for (int i = 0; i < 200; ++i) (void)link.next(SystemClock().now() + 10s, "flood");
    }
  });
  listening->listen("b:*");
  std::string text;
  while ((text = listening.next()) == "flood=x") {
  }
  CHECK(text == "+b:*");
  CHECK(listening.stop());
}

TEST_CASE("redis publisher: a lost connection is made again; no server is said soon",
          "[redis_patterns]") {
  PrivateRedis redis;
  const SystemClock clock;
  RedisPublisher publisher(*parse_redis_url(redis.url()), {}, clock);
  Listening listening(redis.url());
  listening->listen("a");
  listening.start();
  CHECK(listening.next() == "+a");
  CHECK(publisher.publish("a", "1").value() == 1);
  CHECK(publisher.publish("nobody", "1").value() == 0);
  CHECK(listening.next() == "a=1");
  redis.kill_9();
  for (int i = 0; i < 3; ++i) {
    const auto refused = publisher.publish("a", "2");
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::unreachable);
  }
  redis.start();
  CHECK(listening.next() == "+a");
  CHECK(listening.next() == "gap");
  CHECK(eventually(10s, [&] { return publisher.publish("a", "3").has_value(); }));
  CHECK(listening.next() == "a=3");
}

}  // namespace
}  // namespace rt::test
