#include "load/interval.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "base/random.h"
#include "load/kernel_counts.h"
#include "load/sound_outcome.h"

using rt::Outcome;

namespace {

// `seconds` of 200 events with `fan_out` deliveries each. An event's deliveries share its latency;
// in some seconds everything stalls.
Outcome run_of(std::uint64_t seed, std::uint64_t fan_out, int seconds, double stalls) {
  constexpr std::uint64_t kEvents = 200;
  rt::Random random(seed);
  Outcome outcome = rt::testing::sound_outcome();
  rt::PhaseOutcome& main = outcome.phases[0];
  main.delivery = {};
  main.start_s = 0;
  main.duration_s = seconds;
  outcome.series.clear();
  for (int second = 1; second <= seconds; ++second) {
    const double stall = random.unit() < stalls ? 5 : 1;
    rt::Histogram histogram;
    for (std::uint64_t event = 0; event < kEvents; ++event) {
      const auto us = static_cast<std::int64_t>(stall * random.exponential(10'000)) + 1;
      for (std::uint64_t i = 0; i < fan_out; ++i) histogram.record(us);
    }
    main.delivery.add(histogram);
    rt::SecondSample sample;
    sample.at_s = second;
    sample.measured = true;
    sample.delivery = histogram.sparse();
    outcome.series.push_back(sample);
  }
  main.events = kEvents * static_cast<std::uint64_t>(seconds);
  main.expected = main.received = main.events * fan_out;
  return outcome;
}

rt::PercentileInterval interval_of(const Outcome& outcome) {
  return rt::delivery_interval(outcome, outcome.measured(), 0.95);
}

// The 0.95 quantile of the mixture of both exponential distributions, found by halving.
double true_p95(double stalls) {
  double low = 0;
  double high = 1e7;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    const double below =
        (1 - stalls) * (1 - std::exp(-middle / 10'000)) + stalls * (1 - std::exp(-middle / 50'000));
    (below < 0.95 ? low : high) = middle;
  }
  return low;
}

// In how many of 200 runs the interval held the truth.
template <typename Interval>
int coverage(double stalls, std::uint64_t fan_out, Interval interval) {
  int held = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto found = interval(run_of(seed, fan_out, 30, stalls));
    held += found.low_us <= true_p95(stalls) && true_p95(stalls) <= found.high_us ? 1 : 0;
  }
  return held;
}

}  // namespace

TEST_CASE("interval: a thousandfold fan-out does not make it narrower", "[load][interval]") {
  const auto one = interval_of(run_of(1, 1, 30, 0));
  const auto many = interval_of(run_of(1, 1'000, 30, 0));
  REQUIRE(one.known);
  REQUIRE(many.low_us == Approx(one.low_us).epsilon(0.01));
  REQUIRE(many.high_us == Approx(one.high_us).epsilon(0.01));
}

TEST_CASE("interval: holds the true percentile in about 95 of 100 runs", "[load][interval]") {
  REQUIRE(coverage(0, 5, interval_of) >= 183);  // 190 expected
}

TEST_CASE("interval: seconds that stall as a whole are seen as what they are", "[load][interval]") {
  const auto by_event = [](const Outcome& outcome) {
    const rt::PhaseOutcome& m = outcome.phases[0];
    return rt::percentile_interval(m.delivery, 0, m.events, 0.95);
  };
  // One second in five is slow: events are not independent, and by event alone the interval is far
  // too narrow to be believed.
  REQUIRE(coverage(0.2, 3, by_event) < 120);
  REQUIRE(coverage(0.2, 3, interval_of) >= 170);
}

TEST_CASE("interval: with few seconds, or without their counts, events alone decide",
          "[load][interval]") {
  Outcome outcome = run_of(1, 3, 30, 0.2);
  const auto wide = interval_of(outcome);
  for (rt::SecondSample& second : outcome.series) second.delivery = {};
  const auto narrow = interval_of(outcome);
  REQUIRE(narrow.known);
  REQUIRE(narrow.high_us - narrow.low_us < wide.high_us - wide.low_us);
}

TEST_CASE("kernel counts: by name, whatever the kernel puts between", "[load][kernel]") {
  const auto counts = rt::parse_kernel_counts(
      "TcpExt: SyncookiesSent ListenOverflows ListenDrops RcvPruned\n"
      "TcpExt: 1 12 13 14\n"
      "IpExt: InNoRoutes\nIpExt: 9\n");
  REQUIRE(counts.listen_overflows == 12);
  REQUIRE(counts.listen_drops == 13);
  REQUIRE(counts.receive_pruned == 14);
  REQUIRE(rt::parse_kernel_counts("nonsense").listen_drops == 0);
  REQUIRE(rt::counted_since(counts, {15, 13, 2}).listen_overflows == 3);
  REQUIRE(rt::counted_since(counts, {15, 13, 2}).receive_pruned == 0);
}
