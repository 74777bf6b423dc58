#include "load/stationarity.h"

#include <catch2/catch.hpp>

namespace {

using rt::Histogram;
using rt::Stationarity;

constexpr double kClaim_us = 300'000;

// Five seconds whose p95 is about that.
void window(Stationarity& settling, std::int64_t p95_us) {
  for (std::size_t second = 0; second < Stationarity::kSeconds; ++second) {
    Histogram deliveries;
    for (int i = 0; i < 20; ++i) deliveries.record(i < 18 ? p95_us / 2 : p95_us);
    settling.add_second(deliveries);
  }
}

bool settles(const std::vector<std::int64_t>& p95s_us, double claim_us = kClaim_us) {
  Stationarity settling(claim_us);
  for (const std::int64_t p95 : p95s_us) window(settling, p95);
  return settling.is_stationary();
}

}  // namespace

TEST_CASE("stationarity: four level p95s have settled, three say nothing", "[load][stationarity]") {
  CHECK_FALSE(settles({50'000, 50'000, 50'000}));
  CHECK(settles({50'000, 50'500, 49'800, 50'100}));
}

TEST_CASE("stationarity: a trend either way has not settled, until it is four windows ago",
          "[load][stationarity]") {
  CHECK_FALSE(settles({100'000, 80'000, 65'000, 55'000}));
  CHECK_FALSE(settles({50'000, 60'000, 70'000, 80'000}));
  CHECK(settles({200'000, 90'000, 52'000, 51'000, 50'000, 50'500}));
}

TEST_CASE("stationarity: level on the whole but restless has not settled", "[load][stationarity]") {
  CHECK_FALSE(settles({50'000, 90'000, 90'000, 50'000}));
}

TEST_CASE("stationarity: what cannot change the verdict is no drift", "[load][stationarity]") {
  CHECK(settles({1'000, 2'000, 3'000, 4'000}));
  CHECK_FALSE(settles({1'000, 2'000, 3'000, 4'000}, 20'000));
}

TEST_CASE("stationarity: seconds without deliveries prove nothing", "[load][stationarity]") {
  Stationarity settling(kClaim_us);
  for (int second = 0; second < 60; ++second) settling.add_second(Histogram());
  CHECK(settling.p95s().empty());
  CHECK_FALSE(settling.is_stationary());
}
