#include "load/selftest.h"

#include <poll.h>

#include <catch2/catch.hpp>

namespace {

int pause_for(std::chrono::milliseconds time) {
  ::poll(nullptr, 0, static_cast<int>(time.count()));
  return 0;
}

}  // namespace

TEST_CASE("selftest: measures a floor of latency and of rate, and loses nothing",
          "[load][selftest]") {
  const auto floor =
      rt::measure_floor({std::chrono::milliseconds(300), std::chrono::milliseconds(200), pause_for},
                        rt::SystemClock());
  if (!floor) FAIL(floor.error().text);
  CHECK(floor->p50_us > 0);
  CHECK(floor->p95_us >= floor->p50_us);
  CHECK(floor->p99_us >= floor->p95_us);
  CHECK(floor->timer_slop_us > 0);
  CHECK(floor->events_per_s > 1'000);
  CHECK(floor->clock_read_ns > 0);
}

TEST_CASE("selftest: a signal ends it with nothing claimed", "[load][selftest]") {
  const auto floor = rt::measure_floor({std::chrono::seconds(60), std::chrono::seconds(60),
                                        [](std::chrono::milliseconds) { return 15; }},
                                       rt::SystemClock());
  REQUIRE_FALSE(floor);
  CHECK(floor.error().code == rt::Code::cancelled);
}
