#include "pipe/play_clock.h"

#include <catch2/catch.hpp>

using namespace rt;
using namespace std::chrono_literals;

namespace {
constexpr Instant kNow{1000s};
}

TEST_CASE("play clock: recorded time runs at its speed, and says when it is what", "[pipe]") {
  PlayClock clock(2);
  clock.start(kNow);
  CHECK(clock.reading(kNow + 3s) == 6s);
  CHECK(clock.when(6s) == kNow + 3s);
}

TEST_CASE("play clock: a pause moves everything behind by its length", "[pipe]") {
  PlayClock clock(1);
  clock.start(kNow);
  clock.pause(kNow + 1s);
  CHECK(clock.when(5s) == Instant::max());
  CHECK(clock.reading(kNow + 60s) == 1s);
  clock.resume(kNow + 61s);
  CHECK(clock.when(5s) == kNow + 65s);
  // What was overdue when it was paused is as much overdue afterwards.
  CHECK(clock.when(500ms) == kNow + 60s + 500ms);
}

TEST_CASE("play clock: another speed holds from now on", "[pipe]") {
  PlayClock clock(1);
  clock.start(kNow);
  clock.set_speed(4, kNow + 2s);
  CHECK(clock.reading(kNow + 3s) == 6s);
  CHECK(clock.when(10s) == kNow + 4s);
  clock.set_speed(kMaxSpeed, kNow + 4s);
  CHECK(clock.when(1h) == kNow + 4s);
  clock.set_speed(0.5, kNow + 5s);
  CHECK(clock.when(11s) == kNow + 7s);
}

TEST_CASE("play clock: it is put to a time also while it stands still", "[pipe]") {
  PlayClock clock(1);
  clock.start(kNow);
  clock.pause(kNow);
  clock.put_to(30s, kNow + 5s);
  clock.resume(kNow + 10s);
  CHECK(clock.when(31s) == kNow + 11s);
}
