// lib/redis against a real Redis.
#include <catch2/catch.hpp>
#include <thread>

#include "integration/patience.h"
#include "integration/private_redis.h"
#include "io/wakeup.h"
#include "redis/subscriber.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;
using Kind = RedisReply::Kind;

Instant in(Duration patience) {
  return SystemClock().now() + patience;
}

TEST_CASE("redis: commands are answered in the kinds of Redis", "[redis]") {
  const PrivateRedis redis;
  RedisConnection link = redis.connect();
  const std::string binary("a\0b\r\n\xFF", 6);
  CHECK(link.command({"SET", "k", binary}, "set")->text == "OK");
  CHECK(link.command({"GET", "k"}, "get")->text == binary);
  CHECK(link.command({"GET", "none"}, "get")->kind == Kind::nil);
  CHECK(link.command({"INCR", "n"}, "incr")->integer == 1);
  const auto list = link.command({"MGET", "k", "none"}, "mget");
  REQUIRE(list);
  REQUIRE(list->kind == Kind::array);
  REQUIRE(list->items.size() == 2);
  CHECK(list->items[1].kind == Kind::nil);
  const auto wrong = link.command({"LPUSH", "k", "x"}, "cannot push");
  REQUIRE(!wrong);
  CHECK(wrong.error().code == Code::refused);
  CHECK(wrong.error().text.rfind("cannot push on 127.0.0.1:", 0) == 0);
  CHECK(link.command({"PING"}, "ping")->text == "PONG");  // an error reply breaks nothing
}

TEST_CASE("redis: a value of 5 MiB passes whole", "[redis]") {
  const PrivateRedis redis;
  RedisConnection link = redis.connect();
  const std::string large(5u << 20, 'x');
  REQUIRE(link.command({"SET", "k", large}, "set"));
  CHECK(link.command({"GET", "k"}, "get")->text == large);
}

TEST_CASE("redis: a database, a Unix socket, a password", "[redis]") {
  const PrivateRedis redis({"--requirepass", "s3cret"});
  const auto with = [&](const std::string& url) {
    return RedisConnection::connect(*parse_redis_url(url));
  };
  const std::string port = std::to_string(redis.port());
  auto link = with("redis://:s3cret@127.0.0.1:" + port + "/5");
  REQUIRE(link);
  CHECK(link->command({"CLIENT", "INFO"}, "info")->text.find(" db=5 ") != std::string::npos);
  CHECK(with("redis://default:s3cret@localhost:" + port));
  CHECK(with("unix://:s3cret@" + redis.unix_url().substr(7)));
  for (const std::string& url : {redis.url(), "redis://:wr0ng@127.0.0.1:" + port}) {
    const auto refused = with(url);
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::refused);
    CHECK(refused.error().text.find("wr0ng") == std::string::npos);
    CHECK(!refused.error().hint.empty());
  }
}

TEST_CASE("redis: nobody there is unreachable, with a hint", "[redis]") {
  for (const char* url : {"redis://127.0.0.1:1", "unix:///nowhere/redis.sock"}) {
    const auto link = RedisConnection::connect(*parse_redis_url(url));
    REQUIRE(!link);
    CHECK(link.error().code == Code::unreachable);
    CHECK(!link.error().hint.empty());
  }
}

TEST_CASE("redis: what is published after subscribe() returned arrives, in order", "[redis]") {
  const PrivateRedis redis;
  auto listener = RedisSubscriber::subscribe(redis.connect(), {"a", "b"});
  REQUIRE(listener);
  RedisConnection link = redis.connect();
  for (int i = 0; i < 100; ++i) {
    const auto heard = link.command({"PUBLISH", i % 2 == 0 ? "a" : "b", std::to_string(i)}, "pub");
    CHECK(heard->integer == 1);
  }
  for (int i = 0; i < 100; ++i) {
    const auto message = listener->next(in(10s));
    REQUIRE(message);
    REQUIRE(*message);
    CHECK((*message)->payload == std::to_string(i));
    CHECK((*message)->channel == (i % 2 == 0 ? "a" : "b"));
  }
  const auto nothing = listener->next(in(0s));
  REQUIRE(nothing);
  CHECK(!*nothing);
}

TEST_CASE("redis: a pattern crosses ':', and a ping in between is no message", "[redis]") {
  const PrivateRedis redis;
  auto listener = RedisSubscriber::psubscribe(redis.connect(), {"gym:1:*"});
  REQUIRE(listener);
  REQUIRE(listener->ping());
  redis.command({"PUBLISH", "gym:12:z", "no"});
  redis.command({"PUBLISH", "gym:1:a:b", "yes"});
  const auto message = listener->next(in(10s));
  REQUIRE(message);
  REQUIRE(*message);
  CHECK((*message)->pattern == "gym:1:*");
  CHECK((*message)->channel == "gym:1:a:b");
  CHECK((*message)->payload == "yes");
}

TEST_CASE("redis: a killed server is a lost connection", "[redis]") {
  PrivateRedis redis;
  auto listener = RedisSubscriber::subscribe(redis.connect(), {"a"});
  REQUIRE(listener);
  redis.kill_9();
  const auto lost = listener->next(in(10s));
  REQUIRE(!lost);
  CHECK(lost.error().code == Code::unreachable);
}

TEST_CASE("redis: a wait ends when cancel_fd is readable", "[redis]") {
  const PrivateRedis redis;
  auto bell = io::Wakeup::create();
  REQUIRE(bell);
  RedisOptions options;
  options.cancel_fd = bell->fd();
  auto link = RedisConnection::connect(*parse_redis_url(redis.url()), options);
  REQUIRE(link);
  auto listener = RedisSubscriber::subscribe(std::move(*link), {"a"});
  REQUIRE(listener);
  std::thread ringer([&] { bell->ring(); });
  const auto ended = listener->next(Instant::max());
  ringer.join();
  REQUIRE(!ended);
  CHECK(ended.error().code == Code::cancelled);
}

}  // namespace
}  // namespace rt::test
