#include "load/delivery_times.h"

#include <catch2/catch.hpp>

#include "load/clock_watch.h"

namespace {

using rt::Commit;
using rt::Delivery;
using rt::DeliveryTimes;

constexpr std::int64_t kOffsetNs = 1'000'000'000;  // wall minus monotonic, for these tests

Delivery delivery(std::uint64_t lsn, std::int64_t received_us) {
  return {lsn, received_us * 1'000, (received_us - 900) * 1'000, 0, 0, 0};
}

}  // namespace

TEST_CASE("delivery times: latency is receive time less commit time", "[load][delivery]") {
  DeliveryTimes times(1, true);
  const std::vector<Commit> commits{{10, 1'000'000 + 5'000}};
  times.learn(commits);
  times.take(delivery(10, 5'750), kOffsetNs);
  times.resolve();
  CHECK(times.delivery(0).count() == 1);
  CHECK(times.delivery(0).max_us() == 750);
  CHECK(times.intended(0).max_us() == 900);
  CHECK(times.waiting() == 0);
}

TEST_CASE("delivery times: a delivery waits for its commit to become known", "[load][delivery]") {
  DeliveryTimes times(1, true);
  times.take(delivery(20, 100), kOffsetNs);
  times.resolve();
  CHECK(times.waiting() == 1);
  const std::vector<Commit> first{{10, 1'000'000}};
  times.learn(first);
  times.resolve();
  CHECK(times.waiting() == 1);
  const std::vector<Commit> second{{20, 1'000'000}};
  times.learn(second);
  times.resolve();
  CHECK(times.waiting() == 0);
  CHECK(times.delivery(0).count() == 1);
  CHECK(times.untimed(0) == 0);
}

TEST_CASE(
    "delivery times: a second holds what is in a phase, not what cohorts and replays received",
    "[load][delivery]") {
  DeliveryTimes times(3, false, 1);
  for (std::uint32_t bucket = 0; bucket < 3; ++bucket) {
    Delivery one = delivery(0, 1'000 * (bucket + 1));
    one.bucket = bucket;
    times.take(one, kOffsetNs);
  }
  CHECK(times.take_second().count() == 1);
  CHECK(times.delivery(2).count() == 1);
}

TEST_CASE("delivery times: what cannot be joined is counted, never dropped", "[load][delivery]") {
  DeliveryTimes times(1, true);
  const std::vector<Commit> commits{{10, 1'000'000}, {30, 1'000'000}};
  times.learn(commits);
  times.take(delivery(20, 100), kOffsetNs);  // a commit nobody saw
  times.take(delivery(0, 100), kOffsetNs);   // an id that is no position
  times.take(delivery(40, 100), kOffsetNs);  // not yet, and never
  times.resolve();
  CHECK(times.untimed(0) == 2);
  times.finish();
  CHECK(times.untimed(0) == 3);
  CHECK(times.delivery(0).count() == 0);
  CHECK(times.intended(0).count() == 3);
}

TEST_CASE("delivery times: a negative latency stays visible", "[load][delivery]") {
  DeliveryTimes times(1, true);
  const std::vector<Commit> commits{{10, 1'000'000 + 200}};
  times.learn(commits);
  times.take(delivery(10, 100), kOffsetNs);
  times.resolve();
  CHECK(times.delivery(0).negatives() == 1);
  CHECK(times.delivery(0).min_us() == -100);
}

TEST_CASE("delivery times: without a database clock the intended instant counts",
          "[load][delivery]") {
  DeliveryTimes times(1, false);
  times.take(delivery(0, 1'000), kOffsetNs);
  CHECK(times.delivery(0).max_us() == 900);
  CHECK(times.untimed(0) == 0);
}

TEST_CASE("delivery times: each second stands for itself", "[load][delivery]") {
  DeliveryTimes times(1, false);
  times.take(delivery(0, 1'000), kOffsetNs);
  CHECK(times.take_second().count() == 1);
  CHECK(times.take_second().count() == 0);
}

TEST_CASE("delivery times: the kernel's stamp splits a delivery into two stages",
          "[load][delivery]") {
  DeliveryTimes times(1, true);
  const std::vector<Commit> commits{{10, 1'000'000 + 5'000}};
  times.learn(commits);
  Delivery one = delivery(10, 5'750);
  one.stamp_unix_ns = kOffsetNs + 5'600'000;  // 600 us after the commit
  times.take(one, kOffsetNs);
  times.resolve();
  CHECK(times.commit_to_wire(0).max_us() == 600);
  CHECK(times.wire_to_parse(0).max_us() == 150);
  CHECK(times.delivery(0).max_us() == 750);
}

TEST_CASE("delivery times: what the kernel did not stamp is in no stage, and not 0",
          "[load][delivery]") {
  DeliveryTimes times(1, true);
  const std::vector<Commit> commits{{10, 1'000'000}};
  times.learn(commits);
  times.take(delivery(10, 5'750), kOffsetNs);
  times.resolve();
  CHECK(times.delivery(0).count() == 1);
  CHECK(times.commit_to_wire(0).empty());
  CHECK(times.wire_to_parse(0).empty());
}

TEST_CASE("delivery times: without a database clock there is no way from commit to wire",
          "[load][delivery]") {
  DeliveryTimes times(1, false);
  Delivery one = delivery(0, 1'000);
  one.stamp_unix_ns = kOffsetNs + 980'000;
  times.take(one, kOffsetNs);
  CHECK(times.commit_to_wire(0).empty());
  CHECK(times.wire_to_parse(0).max_us() == 20);
}

TEST_CASE("delivery times: old commits are forgotten, new ones found", "[load][delivery]") {
  DeliveryTimes times(1, true);
  constexpr std::uint64_t kMany = 1'300'000;
  std::vector<Commit> commits;
  for (std::uint64_t lsn = 1; lsn <= kMany; ++lsn) commits.push_back({lsn, 1'000'000});
  times.learn(commits);
  times.take(delivery(1, 100), kOffsetNs);
  times.take(delivery(kMany, 100), kOffsetNs);
  CHECK_NOTHROW(times.resolve());
  CHECK(times.delivery(0).count() == 1);
  CHECK(times.untimed(0) == 1);
}

namespace {

// Both clocks, moved apart.
class TwoClocks final : public rt::Clock {
 public:
  rt::Instant now() const override { return mono; }
  rt::WallTime wall() const override { return rt::from_unix_us(wall_us); }
  void pass(std::int64_t us) {
    mono += std::chrono::microseconds(us);
    wall_us += us;
  }
  rt::Instant mono{std::chrono::seconds(100)};
  std::int64_t wall_us = 1'700'000'000'000'000;
};

}  // namespace

TEST_CASE("clock watch: clocks that run together show no step", "[load][clock]") {
  TwoClocks clock;
  rt::ClockWatch watch(clock);
  const std::int64_t offset = watch.sample();
  CHECK(offset == clock.wall_us * 1'000 - clock.mono.time_since_epoch().count());
  clock.pass(20'000);
  CHECK(watch.sample() == offset);
  CHECK(watch.proof().steps == 0);
  CHECK(watch.proof().error_us < 10);
}

TEST_CASE("clock watch: a slew within 500 ppm is no step", "[load][clock]") {
  TwoClocks clock;
  rt::ClockWatch watch(clock);
  watch.sample();
  clock.pass(10'000'000);
  clock.wall_us += 5'000;
  watch.sample();
  CHECK(watch.proof().steps == 0);
}

TEST_CASE("clock watch: a clock set forward or back is a step, with its size", "[load][clock]") {
  TwoClocks clock;
  rt::ClockWatch watch(clock);
  watch.sample();
  clock.pass(20'000);
  clock.wall_us += 3'000;
  watch.sample();
  clock.wall_us -= 50'000;
  watch.sample();
  CHECK(watch.proof().steps == 2);
  CHECK(watch.proof().largest_step_us == Approx(50'000));
}
