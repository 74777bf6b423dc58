#include "pipe/steering.h"

#include <catch2/catch.hpp>

using namespace rt;
using namespace std::chrono_literals;

namespace {

using Kind = PlayCommand::Kind;
using Go = Steering::Go;
constexpr Instant kNow{1000s};
constexpr std::int64_t kSecondUs = 1'000'000;

// Transaction n, n seconds into the recording.
archive::Entry unit(int n, std::string_view body = "C") {
  archive::Entry entry;
  entry.record.body = body;
  entry.position = {static_cast<std::uint64_t>(n) * 0x100, 0};
  entry.t_hi = n * kSecondUs;
  return entry;
}

struct Steered {
  Pacer pacer{{.speed = 1.0, .max_gap = {}}};
  Steering steering;

  explicit Steered(Steering::Limits limits = {}) : steering(pacer, limits) {
    pacer.due(1 * kSecondUs, kNow);  // the first transaction
    steering.unit_played(unit(1));
  }
  std::string ask(Kind kind, Instant at = kNow) { return steering.take({kind, at, {}}); }
  std::string seek(int n) {
    return steering.take({Kind::seek, kNow, ArchiveBound{unit(n).position, true}});
  }
  Instant due(int n, Instant now = kNow) { return pacer.due(n * kSecondUs, now); }
};

}  // namespace

TEST_CASE("steering: paused holds the next transaction until resumed, later by the pause",
          "[pipe]") {
  Steered it;
  it.ask(Kind::pause_or_resume, kNow + 100ms);
  CHECK(it.steering.next(unit(2), kNow + 1s) == Go::held);
  it.ask(Kind::pause_or_resume, kNow + 60s + 100ms);
  CHECK(it.steering.next(unit(2), kNow + 61s) == Go::paced);
  CHECK(it.due(2) == kNow + 61s);
}

TEST_CASE("steering: a step plays one transaction at once, then holds", "[pipe]") {
  Steered it;
  it.ask(Kind::step);
  CHECK(it.steering.next(unit(2), kNow) == Go::at_once);
  it.steering.unit_played(unit(2));
  CHECK(it.steering.next(unit(3), kNow) == Go::held);
  // The schedule goes on from the transaction that was stepped to.
  it.ask(Kind::resume, kNow + 10s);
  CHECK(it.due(3, kNow + 10s) == kNow + 11s);
}

TEST_CASE("steering: a step of one row holds inside the transaction", "[pipe]") {
  Steered it({.takes_rows = true});
  it.ask(Kind::step_row);
  CHECK(it.steering.next(unit(2, "B"), kNow) == Go::at_once);
  CHECK_FALSE(it.steering.holds_inside());
  it.steering.row_played();
  CHECK(it.steering.holds_inside());
  it.ask(Kind::step_row);
  CHECK_FALSE(it.steering.holds_inside());
  it.steering.unit_played(unit(2));  // no row was left: the next transaction's first is meant
  CHECK(it.steering.next(unit(3, "B"), kNow) == Go::at_once);
  it.steering.row_played();
  it.ask(Kind::resume);
  CHECK_FALSE(it.steering.holds_inside());
  Steered whole({.takes_rows = false});
  CHECK_THAT(whole.ask(Kind::step_row), Catch::Contains("whole transactions"));
  CHECK_FALSE(whole.steering.paused());
}

TEST_CASE("steering: on the way forward a target with state misses nothing, others skip",
          "[pipe]") {
  for (const bool keeps_state : {true, false}) {
    Steered it({.keeps_state = keeps_state});
    CHECK(it.seek(50).empty());
    CHECK(it.steering.next(unit(2), kNow) == (keeps_state ? Go::at_once : Go::skipped));
    CHECK(it.steering.hurrying());
    CHECK(it.steering.next(unit(50), kNow + 1s) == Go::paced);
    CHECK_FALSE(it.steering.hurrying());
    CHECK(it.due(50) == kNow + 1s);
    CHECK(it.due(51) == kNow + 2s);
  }
}

TEST_CASE("steering: who was paused is paused where he went", "[pipe]") {
  Steered it;
  it.ask(Kind::pause);
  it.seek(50);
  CHECK(it.steering.next(unit(2), kNow) == Go::skipped);
  CHECK(it.steering.next(unit(50), kNow) == Go::held);
}

TEST_CASE("steering: what lies behind, or behind the end, is refused", "[pipe]") {
  Steered it({.end_lsn = 0x3000, .end_us = 40 * kSecondUs});
  CHECK_THAT(it.seek(1), Catch::Contains("forward only"));
  CHECK_THAT(it.seek(500), Catch::Contains("end of the recording"));
  const WallTime early = from_unix_us(kSecondUs / 2);
  CHECK_THAT(it.steering.take({Kind::seek, kNow, ArchiveBound{early, false}}),
             Catch::Contains("forward only"));
  CHECK(it.steering.next(unit(2), kNow) == Go::paced);
  // A time inside a pause of the recording leads to its end.
  const WallTime within = from_unix_us(kSecondUs + 1);
  CHECK(it.steering.take({Kind::seek, kNow, ArchiveBound{within, false}}).empty());
  CHECK(it.steering.next(unit(2), kNow) == Go::paced);
  CHECK(it.due(2) == kNow);
}

TEST_CASE("steering: speed doubles up to max and halves down to a limit", "[pipe]") {
  Steered it;
  for (int i = 0; i < 7; ++i) it.ask(Kind::faster);
  CHECK_FALSE(it.pacer.paced());
  it.ask(Kind::slower);
  CHECK(it.pacer.speed() == 64);
  for (int i = 0; i < 20; ++i) it.ask(Kind::slower);
  CHECK(it.pacer.speed() == 1.0 / 64);
  it.ask(Kind::normal_speed);
  CHECK(it.pacer.speed() == 1);
}
