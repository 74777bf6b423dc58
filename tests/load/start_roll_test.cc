#include "load/start_roll.h"

#include <catch2/catch.hpp>

using rt::Code;
using rt::StartRoll;
using namespace std::chrono_literals;

namespace {

StartRoll::Hello from(unsigned shard, std::string process = "") {
  if (process.empty()) process = "host:" + std::to_string(shard);
  return {"r1", {shard, 3}, "5a", std::move(process)};
}

rt::WallTime at(std::int64_t second) {
  return rt::from_unix_us(second * 1'000'000);
}

}  // namespace

TEST_CASE("start roll: the last one who comes sets the start, and all are told the same",
          "[start_roll]") {
  StartRoll roll("r1", 3, "5a", 20s);
  CHECK_FALSE(*roll.hello(from(0), at(100)));
  CHECK_FALSE(*roll.hello(from(2), at(101)));
  CHECK_FALSE(*roll.hello(from(0), at(102)));
  CHECK(roll.missing() == std::vector<unsigned>{1});
  CHECK(**roll.hello(from(1), at(103)) == at(123));
  CHECK_FALSE(roll.all_know());
  CHECK(**roll.hello(from(0), at(104)) == at(123));
  roll.give_up({Code::unreachable, "too late for that", ""});
  CHECK(**roll.hello(from(2), at(105)) == at(123));
  CHECK(roll.all_know());
}

TEST_CASE("start roll: what does not fit ends it for everyone", "[start_roll]") {
  const auto ends_with = [](StartRoll::Hello odd, const std::string& why) {
    StartRoll roll("r1", 3, "5a", 20s);
    CHECK_FALSE(*roll.hello(from(0), at(1)));
    CHECK_FALSE(*roll.hello(from(1), at(1)));
    CHECK(roll.hello(odd, at(2)).error().text == why);
    CHECK_FALSE(roll.all_know());
    for (const unsigned shard : {0U, 1U}) {
      const auto told = roll.hello(from(shard), at(3));
      REQUIRE_FALSE(told);
      CHECK(told.error().text == why);
      CHECK(told.error().code == Code::usage);
    }
    CHECK(roll.all_know());
  };
  StartRoll::Hello odd = from(2);
  odd.scenario_sha256 = "5b";
  ends_with(odd, "shard 2 runs another scenario");
  odd = from(2);
  odd.shard.count = 4;
  ends_with(odd, "shard 2 is one of 4, not of 3");
  odd.shard.number = 3;
  ends_with(odd, "shard 3 is one of 4, not of 3");
  ends_with(from(1, "other:7"), "shard 1 is claimed by host:1 and by other:7");
}

TEST_CASE("start roll: another run is refused and disturbs nobody", "[start_roll]") {
  StartRoll roll("r1", 1, "5a", 1s);
  StartRoll::Hello stranger = from(0, "other:7");
  stranger.run_id = "r2";
  CHECK_FALSE(roll.hello(stranger, at(1)));
  StartRoll::Hello only = from(0);
  only.shard.count = 1;
  CHECK(**roll.hello(only, at(2)) == at(3));
}

TEST_CASE("start roll: when the wait is given up those who came are told who is missing",
          "[start_roll]") {
  StartRoll roll("r1", 3, "5a", 20s);
  CHECK_FALSE(*roll.hello(from(1), at(1)));
  roll.give_up({Code::unreachable, "shard 0, 2 did not come", ""});
  const auto told = roll.hello(from(1), at(2));
  CHECK(told.error().code == Code::unreachable);
  CHECK(roll.all_know());
}

TEST_CASE("start roll: hello and answer survive the way", "[start_roll]") {
  const auto hello = rt::parse_hello_path(rt::hello_path(from(2, "a-b.c:77")));
  REQUIRE(hello);
  CHECK(hello->run_id == "r1");
  CHECK(hello->shard.number == 2);
  CHECK(hello->shard.count == 3);
  CHECK(hello->scenario_sha256 == "5a");
  CHECK(hello->process == "a-b.c:77");
  for (const char* path : {"", "/", "/r1/3/3/5a/x", "/r1/a/3/5a/x", "/r1/0/3/5a", "/r1/0/3/5a/",
                           "/r1/0/3/5a/x/y", "x/r1/0/3/5a/x"}) {
    CAPTURE(path);
    CHECK_FALSE(rt::parse_hello_path(path));
  }
  const auto back = [](const rt::Result<std::optional<rt::WallTime>>& told) {
    return rt::parse_hello_answer(rt::hello_answer(told));
  };
  CHECK_FALSE(*back(std::optional<rt::WallTime>()));
  CHECK(**back(std::optional(at(1'795'773'600))) == at(1'795'773'600));
  for (const Code code : {Code::usage, Code::unreachable}) {
    const auto failed = back(rt::fail(code, "shard 1 did not come"));
    CHECK(failed.error().code == code);
    CHECK(failed.error().text == "shard 1 did not come");
  }
  for (const char* body : {"", "start", "start x", "<html>", "waiting"}) {
    CAPTURE(body);
    CHECK_FALSE(rt::parse_hello_answer(body));
  }
}
