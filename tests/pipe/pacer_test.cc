#include "pipe/pacer.h"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>

using namespace rt;
using namespace std::chrono_literals;

namespace {
constexpr Instant kNow{1000s};
constexpr std::int64_t kSecondUs = 1'000'000;
}  // namespace

TEST_CASE("pacer: events are due on an absolute schedule, divided by speed", "[pipe]") {
  Pacer pacer({.speed = 4.0, .max_gap = {}});
  CHECK(pacer.due(50 * kSecondUs, kNow) == kNow);
  CHECK(pacer.due(54 * kSecondUs, kNow + 900ms) == kNow + 1s);
  // Being late moves nothing that follows.
  CHECK(pacer.due(58 * kSecondUs, kNow + 17s) == kNow + 2s);
  CHECK(pacer.recorded() == 8s);
}

TEST_CASE("pacer: a speed below one stretches", "[pipe]") {
  Pacer pacer({.speed = 0.5, .max_gap = {}});
  pacer.due(0, kNow);
  CHECK(pacer.due(3 * kSecondUs, kNow) == kNow + 6s);
}

TEST_CASE("pacer: long pauses are shortened, in recorded time", "[pipe]") {
  Pacer pacer({.speed = 2.0, .max_gap = 1s});
  pacer.due(0, kNow);
  CHECK(pacer.due(3600 * kSecondUs, kNow) == kNow + 500ms);
  CHECK(pacer.due(3600 * kSecondUs + 200'000, kNow) == kNow + 600ms);
}

TEST_CASE("pacer: at full speed everything is due at once", "[pipe]") {
  Pacer pacer({.speed = kMaxSpeed, .max_gap = {}});
  pacer.due(0, kNow);
  CHECK_FALSE(pacer.paced());
  CHECK(pacer.due(3600 * kSecondUs, kNow + 5s) == kNow);
}

TEST_CASE("pacer: a recording that starts over goes on where the schedule was", "[pipe]") {
  Pacer pacer({.speed = 1.0, .max_gap = {}});
  pacer.due(100 * kSecondUs, kNow);
  CHECK(pacer.due(103 * kSecondUs, kNow) == kNow + 3s);
  pacer.start_over();
  CHECK(pacer.due(100 * kSecondUs, kNow) == kNow + 3s);
  CHECK(pacer.due(101 * kSecondUs, kNow) == kNow + 4s);
}

TEST_CASE("pacer: times that go back are due at once, not earlier than what was due", "[pipe]") {
  Pacer pacer({.speed = 1.0, .max_gap = {}});
  pacer.due(100 * kSecondUs, kNow);
  pacer.due(105 * kSecondUs, kNow);
  CHECK(pacer.due(102 * kSecondUs, kNow) == kNow + 5s);
}

TEST_CASE("pacer: a quantile of lateness is within a sixteenth above the true one", "[pipe]") {
  rc::prop("lateness", [] {
    auto late_us = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(0u, 2'000'000'000u)));
    LatenessHistogram histogram;
    for (const std::uint32_t us : late_us) histogram.add(std::chrono::microseconds(us));
    std::sort(late_us.begin(), late_us.end());
    for (const double q : {0.5, 0.99, 1.0}) {
      const auto rank =
          static_cast<std::size_t>(std::ceil(q * static_cast<double>(late_us.size())));
      const double truth = late_us[std::max<std::size_t>(rank, 1) - 1];
      const double found = static_cast<double>(histogram.quantile(q).count()) / 1000.0;
      RC_ASSERT(found >= truth);
      RC_ASSERT(found <= truth * (1 + 1.0 / 16) + 1);
    }
    RC_ASSERT(histogram.max() == std::chrono::microseconds(late_us.back()));
  });
  CHECK(LatenessHistogram().quantile(0.5) == 0ns);
  LatenessHistogram early;
  early.add(-5ms);
  CHECK(early.max() == 0ns);
}
