#include "load/compare.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "base/random.h"
#include "load/presets.h"
#include "load/sound_outcome.h"

using rt::compare_percentile;
using rt::CompareWord;
using rt::Outcome;

namespace {

// 6,000 events whose latencies scatter around `typical_us`.
Outcome run_of(double typical_us, std::uint64_t seed, std::uint64_t events = 6'000) {
  Outcome outcome = rt::testing::sound_outcome();
  rt::PhaseOutcome& main = outcome.phases[0];
  main.delivery = {};
  rt::Random random(seed);
  for (std::uint64_t i = 0; i < events; ++i) {
    main.delivery.record(static_cast<std::int64_t>(typical_us * (0.5 + random.exponential(1))));
  }
  main.events = main.expected = main.received = events;
  return outcome;
}

CompareWord word(const Outcome& base, const Outcome& next, double margin = 0.05) {
  return compare_percentile(std::span(&base, 1), std::span(&next, 1), "p95", margin).word;
}

}  // namespace

TEST_CASE("compare: a run much slower than the margin is worse, a faster one no worse",
          "[load][compare]") {
  REQUIRE(word(run_of(10'000, 1), run_of(20'000, 2)) == CompareWord::worse);
  REQUIRE(word(run_of(10'000, 1), run_of(5'000, 2)) == CompareWord::no_worse);
  REQUIRE(word(run_of(10'000, 1), run_of(10'000, 2), 0.2) == CompareWord::no_worse);
}

TEST_CASE("compare: an interval that holds the margin decides nothing", "[load][compare]") {
  REQUIRE(word(run_of(10'000, 1), run_of(10'500, 2)) == CompareWord::undecided);
  REQUIRE(word(run_of(10'000, 1), run_of(10'000, 2, 200)) == CompareWord::undecided);
  REQUIRE(word(run_of(10'000, 1), run_of(10'000, 2, 20)) == CompareWord::undecided);  // no interval
}

TEST_CASE("compare: the interval holds the true ratio nearly always", "[load][compare]") {
  int held = 0;
  constexpr int kRuns = 100;
  for (std::uint64_t i = 0; i < kRuns; ++i) {
    const Outcome base = run_of(10'000, 1'000 + i, 2'000);
    const Outcome next = run_of(12'000, 5'000 + i, 2'000);
    const auto result = compare_percentile(std::span(&base, 1), std::span(&next, 1), "p95", 0.05);
    held += result.low <= 1.2 && 1.2 <= result.high ? 1 : 0;
  }
  REQUIRE(held >= 88);  // 95 expected; below 88 has a chance of 1 in 300
}

TEST_CASE("compare: runs that differ among themselves widen the interval", "[load][compare]") {
  const std::vector<Outcome> steady = {run_of(10'000, 1), run_of(10'000, 2), run_of(10'000, 3)};
  const std::vector<Outcome> noisy = {run_of(7'000, 1), run_of(10'000, 2), run_of(14'000, 3)};
  const Outcome next = run_of(10'000, 4);
  const auto narrow = compare_percentile(steady, std::span(&next, 1), "p95", 0.05);
  const auto wide = compare_percentile(noisy, std::span(&next, 1), "p95", 0.05);
  REQUIRE(std::log(wide.high / wide.low) > 2 * std::log(narrow.high / narrow.low));
}

TEST_CASE("compare: deliveries that never came are worse than any latency", "[load][compare]") {
  Outcome dead = run_of(1'000, 1);
  dead.phases[0].expected += 1'000;
  REQUIRE(word(run_of(10'000, 1), dead) == CompareWord::worse);
  REQUIRE(word(dead, run_of(10'000, 1)) == CompareWord::undecided);
}

TEST_CASE("compare: a workload is the same wherever it is pointed at", "[load][compare]") {
  const auto digest = [](std::vector<std::string> overrides) {
    return rt::workload_digest(
        rt::parse_scenario(rt::find_preset("runs")->json, "preset", overrides).value());
  };
  REQUIRE(digest({}) == digest({"target.url=http://127.0.0.1:9999/v1/runs/stream"}));
  REQUIRE(digest({}) == digest({"report.dir=elsewhere"}));
  REQUIRE(digest({}) != digest({"seed=43"}));
  REQUIRE(digest({}) != digest({"load.rate=77/s"}));
}
