// Redis as a source of rtctl, on a real server.
#include "rtctl/redis_stream.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "integration/patience.h"
#include "integration/private_redis.h"
#include "integration/taker_log.h"

namespace rt::test {
namespace {

using rtctl::RedisStreamOptions;
using rtctl::Since;
using Lines = std::vector<std::string>;

const Lines kPersistent = {"--appendonly", "yes", "--appendfsync", "always"};

RedisStreamOptions channels(const PrivateRedis& redis, Lines names) {
  RedisStreamOptions options;
  options.url = redis.url();
  options.names = std::move(names);
  return options;
}

RedisStreamOptions streams(const PrivateRedis& redis, Lines keys,
                           Since::Kind since = Since::Kind::unset) {
  RedisStreamOptions options = channels(redis, std::move(keys));
  options.entries = true;
  options.since.kind = since;
  return options;
}

std::unique_ptr<rtctl::EventStream> open(const RedisStreamOptions& options) {
  auto stream = rtctl::open_redis_stream(options);
  REQUIRE(stream);
  return std::move(*stream);
}

void add(const PrivateRedis& redis, const std::string& key, int first, int last) {
  RedisConnection connection = redis.connect();
  for (int i = first; i <= last; ++i) {
    const std::string id = fmt::format("{}-0", i);
    REQUIRE(connection.command({"XADD", key, id, "data", std::to_string(i)}, "test add"));
  }
}

Lines data_of(TakerLog& log) {
  Lines all;
  for (const auto& event : log.events()) all.push_back(event.data);
  return all;
}

Lines count(int first, int last) {
  Lines all;
  for (int i = first; i <= last; ++i) all.push_back(std::to_string(i));
  return all;
}

TEST_CASE("redis messages: exact payloads of channels and patterns, each once", "[redis_stream]") {
  const PrivateRedis redis;
  const std::string big(3 << 20, 'x');
  const std::string bytes("nul \0 and \xff", 11);
  const auto publish = [&](std::string_view channel, std::string_view payload) {
    redis.command({"PUBLISH", channel, payload});
  };
  SECTION("channels") {
    TakerLog log(open(channels(redis, {"gym:1:students", "rt:all"})));
    REQUIRE(log.wait_for("caught up"));
    publish("rt:all", R"({"event_type":"x.y","data":{"id":  1}, "n": "Grüße 🌍"})");
    publish("gym:1:other", "not for us");
    publish("gym:1:students", bytes);
    publish("rt:all", "");
    publish("rt:all", big);
    REQUIRE(log.wait_for_events(4));
    CHECK(log.lines() ==
          Lines{"open", "caught up",
                R"(event message  rt:all {"event_type":"x.y","data":{"id":  1}, "n": "Grüße 🌍"})",
                "event message  gym:1:students " + bytes, "event message  rt:all ",
                "event message  rt:all " + big});
  }
  SECTION("overlapping patterns") {
    TakerLog log(open(channels(redis, {"gym:1:*", "gym:*", "rt:all"})));
    REQUIRE(log.wait_for("caught up"));
    for (const char* payload : {"1", "2", "2"}) publish("gym:1:a/b:c", payload);
    publish("gym:2:x", "3");
    publish("rt:all", "4");
    publish("rt:other", "not for us");
    publish("gym:1:end", "5");
    REQUIRE(log.wait_for_events(6));
    CHECK(data_of(log) == Lines{"1", "2", "2", "3", "4", "5"});
  }
}

TEST_CASE("redis messages: a lost server is a gap, then messages go on", "[redis_stream]") {
  PrivateRedis redis;
  TakerLog log(open(channels(redis, {"rt:*"})));
  REQUIRE(log.wait_for("caught up"));
  redis.command({"PUBLISH", "rt:all", "before"});
  REQUIRE(log.wait_for_events(1));
  redis.kill_9();
  REQUIRE(log.wait_for("retry"));
  redis.start();
  REQUIRE(log.wait_for("gap"));
  redis.command({"PUBLISH", "rt:all", "after"});
  REQUIRE(log.wait_for_events(2));
  Lines lines = log.lines();
  std::erase(lines, "retry");
  CHECK(lines == Lines{"open", "caught up", "event message  rt:all before", "open again", "gap",
                       "event message  rt:all after"});
  const auto end = log.stop();
  REQUIRE(end);
  CHECK(*end == rtctl::StreamEnd::stopped);
}

TEST_CASE("redis stream: begins where it is told to", "[redis_stream]") {
  const PrivateRedis redis;
  add(redis, "s", 1, 150);
  RedisStreamOptions options = streams(redis, {"s"});
  const auto told = [&](std::size_t past) {
    TakerLog log(open(options));
    REQUIRE(log.wait_for("caught up"));
    const std::size_t seen = log.events().size();
    CHECK(seen == past);
    redis.command({"XADD", "s", "*", "data", "new"});
    REQUIRE(log.wait_for_events(past + 1));
    const Lines all = data_of(log);
    CHECK(all.back() == "new");
    CHECK(log.events().back().written);
    redis.command({"XDEL", "s", log.events().back().id});
    return Lines(all.begin(), all.end() - 1);
  };
  SECTION("at the end") {
    CHECK(told(0).empty());
  }
  SECTION("at the beginning") {
    options.since.kind = Since::Kind::begin;
    CHECK(told(150) == count(1, 150));
  }
  SECTION("after an id") {
    options.since = {Since::Kind::id, "140-0", {}};
    CHECK(told(10) == count(141, 150));
  }
  SECTION("at a time") {
    options.since = {Since::Kind::time, {}, from_unix_us(140'000)};
    CHECK(told(11) == count(140, 150));
  }
  SECTION("at the last N") {
    options.last = 3;
    CHECK(told(3) == count(148, 150));
  }
  SECTION("at the last N of fewer") {
    options.last = 1000;
    CHECK(told(150) == count(1, 150));
  }
}

TEST_CASE("redis stream: several streams, and ids that say where each stands", "[redis_stream]") {
  const PrivateRedis redis;
  add(redis, "a", 1, 100);
  add(redis, "b", 50, 60);
  RedisStreamOptions options = streams(redis, {"a", "b", "absent"}, Since::Kind::begin);
  std::string resume;
  Lines seen;
  {
    TakerLog log(open(options), {.events_max = 70});
    REQUIRE(log.wait_ended());
    seen = data_of(log);
    REQUIRE(seen.size() == 70);
    resume = log.events().back().id;
    CHECK(resume == "64-0,55-0,0-0");
  }
  options.since = {Since::Kind::id, resume, {}};
  TakerLog log(open(options));
  REQUIRE(log.wait_for("caught up"));
  redis.command({"XADD", "absent", "1-1", "a", "1", "b", "two"});
  REQUIRE(log.wait_for_events(42));
  for (const std::string& data : data_of(log)) seen.push_back(data);
  CHECK(seen.back() == R"({"a":"1","b":"two"})");
  CHECK(log.events().back().id == "100-0,60-0,1-1");
  seen.pop_back();
  Lines due = count(1, 100);
  for (const std::string& data : count(50, 60)) due.push_back(data);
  std::sort(seen.begin(), seen.end());
  std::sort(due.begin(), due.end());
  CHECK(seen == due);

  options.since = {};
  options.last = 3;  // of both together
  TakerLog last(open(options));
  REQUIRE(last.wait_for("caught up"));
  CHECK(data_of(last) == count(98, 100));
}

TEST_CASE("redis stream: a killed server costs no entry and doubles none", "[redis_stream]") {
  PrivateRedis redis(kPersistent);
  TakerLog log(open(streams(redis, {"s"})));
  REQUIRE(log.wait_for("caught up"));
  int last = 0;
  for (int life = 0; life < 3; ++life) {
    add(redis, "s", last + 1, last + 200);
    last += 200;
    redis.kill_9();
    redis.start();
    add(redis, "s", last + 1, last + 100);  // most of it while we are away
    last += 100;
    REQUIRE(log.wait_for("open again", life + 1));
  }
  REQUIRE(log.wait_for_events(static_cast<std::size_t>(last)));
  CHECK(data_of(log) == count(1, last));
  const Lines lines = log.lines();
  CHECK(std::count(lines.begin(), lines.end(), "gap") == 0);
}

TEST_CASE("redis stream: entries that are gone unread are a gap", "[redis_stream]") {
  PrivateRedis redis(kPersistent);
  RedisStreamOptions options = streams(redis, {"s"});
  options.since = {Since::Kind::id, "10-0", {}};
  add(redis, "s", 1, 20);
  const auto gaps = [&] {
    TakerLog log(open(options));
    REQUIRE(log.wait_for("caught up"));
    const Lines lines = log.lines();
    return std::count(lines.begin(), lines.end(), "gap");
  };
  SECTION("none is gone") {
    CHECK(gaps() == 0);
  }
  SECTION("trimmed up to what was read") {
    redis.command({"XTRIM", "s", "MINID", "10-0"});
    CHECK(gaps() == 0);
  }
  SECTION("trimmed") {
    redis.command({"XTRIM", "s", "MAXLEN", "5"});
    CHECK(gaps() == 1);
  }
  SECTION("deleted") {
    redis.command({"XDEL", "s", "15-0"});
    CHECK(gaps() == 1);
  }
  SECTION("the whole stream") {
    redis.command({"DEL", "s"});
    CHECK(gaps() == 1);
  }
  SECTION("trimmed while we are away") {
    TakerLog log(open(options));
    REQUIRE(log.wait_for_events(10));
    redis.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    REQUIRE(log.wait_for("open again"));
    CHECK(data_of(log) == count(11, 20));
    redis.kill_9();
    REQUIRE(log.wait_for("retry", 2));
    redis.start();
    // Who is first decides: a gap and three entries, or all ten one by one.
    for (int i = 21; i <= 30; ++i) {
      redis.command({"XADD", "s", "MAXLEN", "3", fmt::format("{}-0", i), "data", "x"});
    }
    REQUIRE(log.wait_for("open again", 2));
    REQUIRE(eventually(std::chrono::seconds(20), [&] { return log.events().back().id == "30-0"; }));
    const Lines lines = log.lines();
    const bool gap = std::count(lines.begin(), lines.end(), "gap") > 0;
    CHECK((gap || log.events().size() == 20));
  }
}

TEST_CASE("redis: what cannot be is one clear error", "[redis_stream]") {
  const PrivateRedis redis({"--requirepass", "secret"});
  const auto refused = [](const RedisStreamOptions& options) {
    const auto opened = rtctl::open_redis_stream(options);
    return !opened && opened.error().code == Code::usage;
  };
  CHECK(refused(channels(redis, {})));
  CHECK(refused(channels(redis, {"a", "a"})));
  RedisStreamOptions options = channels(redis, {"a"});
  options.last = 3;
  CHECK(refused(options));
  options = streams(redis, {"a", "b", "c"});
  options.since = {Since::Kind::id, "1-0,2-0", {}};
  CHECK(refused(options));
  options.since.id = "yesterday";
  CHECK(refused(options));

  TakerLog log(open(channels(redis, {"a"})));
  const auto end = log.wait_ended();
  REQUIRE(end);
  REQUIRE_FALSE(*end);
  CHECK(end->error().code == Code::refused);
  CHECK(open(channels(redis, {"a", "b*"}))->name() ==
        fmt::format("redis 127.0.0.1:{}/0 a b*", redis.port()));
}

}  // namespace
}  // namespace rt::test
