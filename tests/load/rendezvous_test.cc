#include "load/rendezvous.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

using rt::agree_on_start;
using rt::Rendezvous;

namespace {

std::string fresh_folder() {
  const std::string folder = std::string(RT_BINARY_DIR) + "/rendezvous-test";
  std::filesystem::remove_all(folder);
  return folder;
}

Rendezvous place(const std::string& folder, unsigned number, unsigned count) {
  return {folder, "r1", "5a", {number, count}, std::chrono::seconds(20), std::chrono::seconds(60)};
}

// A clock that moves only while somebody waits.
struct Waiting {
  rt::ManualClock clock;
  rt::Pause pause = [this](std::chrono::milliseconds time) {
    clock.advance(time);
    return 0;
  };
};

}  // namespace

TEST_CASE("rendezvous: all shards get the same start, so long after the last one came",
          "[load][rendezvous]") {
  const std::string folder = fresh_folder();
  std::vector<rt::Result<rt::WallTime>> starts(4, rt::WallTime{});
  const rt::SystemClock clock;
  const rt::Pause pause = [](std::chrono::milliseconds) {
    std::this_thread::yield();
    return 0;
  };
  std::vector<std::thread> shards;
  for (unsigned i = 0; i < 4; ++i) {
    shards.emplace_back([&, i] { starts[i] = agree_on_start(place(folder, i, 4), clock, pause); });
  }
  for (std::thread& shard : shards) shard.join();
  for (const auto& start : starts) {
    REQUIRE(start.has_value());
    REQUIRE(*start == *starts[0]);
  }
  REQUIRE(*starts[0] > clock.wall() + std::chrono::seconds(10));
}

TEST_CASE("rendezvous: a missing shard ends the run by name", "[load][rendezvous]") {
  const std::string folder = fresh_folder();
  Waiting waiting;
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/r1.2.ready") << "5a";
  const auto start = agree_on_start(place(folder, 0, 3), waiting.clock, waiting.pause);
  REQUIRE_FALSE(start.has_value());
  REQUIRE(start.error().code == rt::Code::unreachable);
  REQUIRE(start.error().text.starts_with("shard 1 did not come"));
  const auto other = agree_on_start(place(folder, 1, 3), waiting.clock, waiting.pause);
  REQUIRE(other.error().text.starts_with("shard 0 did not come"));
}

TEST_CASE("rendezvous: another scenario and a used run id are refused", "[load][rendezvous]") {
  const std::string folder = fresh_folder();
  Waiting waiting;
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/r1.1.ready") << "other";
  const auto mixed = agree_on_start(place(folder, 0, 2), waiting.clock, waiting.pause);
  REQUIRE(mixed.error().text == "shard 1 runs another scenario");
  std::ofstream(folder + "/r1.start") << "1";
  const auto used = agree_on_start(place(folder, 0, 2), waiting.clock, waiting.pause);
  REQUIRE(used.error().code == rt::Code::usage);
}

TEST_CASE("start: a shard that comes too late says so; one in time waits to the instant",
          "[load][rendezvous]") {
  Waiting waiting;
  const rt::WallTime at = waiting.clock.wall() + std::chrono::milliseconds(1'234);
  REQUIRE(rt::wait_for_start(at, waiting.clock, waiting.pause).has_value());
  REQUIRE(waiting.clock.wall() == at);
  waiting.clock.advance(std::chrono::seconds(1));
  const auto late = rt::wait_for_start(at, waiting.clock, waiting.pause);
  REQUIRE(late.error().code == rt::Code::unreachable);
  REQUIRE(late.error().text.find("late") != std::string::npos);
  const auto stopped = rt::wait_for_start(at + std::chrono::hours(1), waiting.clock,
                                          [](std::chrono::milliseconds) { return 15; });
  REQUIRE(stopped.error().code == rt::Code::cancelled);
}

TEST_CASE("start: a date, or so long after all are ready", "[load][rendezvous]") {
  REQUIRE(rt::parse_start_at("+20s").value().after == std::chrono::seconds(20));
  REQUIRE(rt::unix_us(rt::parse_start_at("2026-11-27T10:00:00Z").value().at) ==
          1'795'773'600'000'000);
  REQUIRE_FALSE(rt::parse_start_at("soon").has_value());
  REQUIRE_FALSE(rt::parse_start_at("+20").has_value());
}
