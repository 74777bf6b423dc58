#include "pipe/clock_probe.h"

#include <catch2/catch.hpp>

using rt::ClockProbe;
using rt::Instant;
using namespace std::chrono_literals;

namespace {

// A clock that is ahead of ours; a question takes `round_trip_us`, of which `there_us` on the way.
struct Other {
  std::int64_t ahead_us = 0;
  std::int64_t our_us = 1'000'000'000;
  Instant now{};
  void let_pass(rt::Duration time) {
    now += time;
    our_us += std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  }
  void ask(ClockProbe& probe, std::int64_t round_trip_us, std::int64_t there_us) {
    const std::int64_t before = our_us;
    let_pass(std::chrono::microseconds(round_trip_us));
    probe.take(before, before + there_us + ahead_us, our_us, now);
  }
};

}  // namespace

TEST_CASE("clock probe: before any answer both are the same clock", "[clock_probe]") {
  CHECK(ClockProbe().result(Instant{} + 1h).error_us == 0);
}

TEST_CASE("clock probe: the truth lies within the error, however lopsided the way is",
          "[clock_probe]") {
  for (const std::int64_t ahead : {-7'000'000, 0, 123'456}) {
    for (const std::int64_t there : {0, 50, 100}) {
      ClockProbe probe;
      Other other{ahead};
      other.ask(probe, 100, there);
      const rt::ClockOffset offset = probe.result(other.now);
      CHECK(std::abs(offset.offset_us - ahead) <= offset.error_us);
      CHECK(offset.error_us == 51);
    }
  }
}

TEST_CASE("clock probe: the tightest answer holds until it is too old", "[clock_probe]") {
  ClockProbe probe;
  Other other{500};
  other.ask(probe, 4'000, 4'000);
  other.ask(probe, 20, 10);
  other.ask(probe, 4'000, 0);
  CHECK(probe.result(other.now).offset_us == 500);
  CHECK(probe.result(other.now).error_us <= 16);
  CHECK(probe.result(other.now + 1s).error_us >= 1'011);  // as slewed clocks drift apart
  other.let_pass(3s);
  other.ask(probe, 4'000, 2'000);  // 2 ms are better than 3 by now
  CHECK(probe.result(other.now).error_us == 2'001);
  CHECK(probe.result(other.now).steps == 0);
}

TEST_CASE("clock probe: a slew is followed, a jump is counted", "[clock_probe]") {
  ClockProbe probe;
  Other other{0};
  for (int i = 0; i < 100; ++i) {
    other.ahead_us += 200;  // 800 ppm
    other.let_pass(250ms);
    other.ask(probe, 60, 30);
    const rt::ClockOffset offset = probe.result(other.now);
    CHECK(std::abs(offset.offset_us - other.ahead_us) <= offset.error_us);
  }
  CHECK(probe.result(other.now).steps == 0);
  other.ahead_us -= 5'000;
  other.ask(probe, 60, 30);
  CHECK(probe.result(other.now).steps == 1);
  CHECK(probe.result(other.now).largest_step_us >= 4'900);
  CHECK(probe.result(other.now).offset_us == other.ahead_us);
}
