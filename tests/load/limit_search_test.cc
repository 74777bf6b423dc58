#include "load/limit_search.h"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "base/random.h"

using rt::LimitSearch;
using rt::LimitSearchPlan;
using rt::Trial;

namespace {

// Runs the search on a made-up system; returns how many trials it took.
template <typename System>
int search(LimitSearch& search, System system) {
  int trials = 0;
  while (const auto load = search.next()) {
    REQUIRE(++trials < 500);
    search.learn(system(*load));
  }
  return trials;
}

auto limit_at(std::uint64_t limit) {
  return [limit](std::uint64_t load) { return load <= limit ? Trial::holds : Trial::fails; };
}

}  // namespace

TEST_CASE("limit search: finds the limit of any steady system, within its resolution",
          "[load][search]") {
  rc::check([] {
    const auto limit = *rc::gen::inRange<std::uint64_t>(1, 1'000'000);
    const auto from = *rc::gen::inRange<std::uint64_t>(1, 2'000'000);
    LimitSearch found({from, 4'000'000, 0.05, 2});
    const int trials = search(found, limit_at(limit));
    RC_ASSERT(found.holds().has_value());
    RC_ASSERT(*found.holds() <= limit);
    RC_ASSERT(found.fails().has_value());
    RC_ASSERT(*found.fails() > limit);
    const double gap = static_cast<double>(*found.fails() - *found.holds());
    RC_ASSERT(gap <= std::max(1.0, 0.05 * static_cast<double>(*found.holds())));
    RC_ASSERT(trials <= 2 * (22 + 22));
  });
}

TEST_CASE("limit search: what holds everything is tried up to the end and no further",
          "[load][search]") {
  LimitSearch found({1'000, 50'000, 0.05, 2});
  std::uint64_t most = 0;
  search(found, [&](std::uint64_t load) {
    most = std::max(most, load);
    return Trial::holds;
  });
  REQUIRE(most == 50'000);
  REQUIRE(found.holds() == 50'000);
  REQUIRE_FALSE(found.fails().has_value());
}

TEST_CASE("limit search: what holds nothing ends at one", "[load][search]") {
  LimitSearch found({1'000, 50'000, 0.05, 2});
  search(found, limit_at(0));
  REQUIRE_FALSE(found.holds().has_value());
  REQUIRE(found.fails() == 1);
}

TEST_CASE("limit search: each load is tried until one answer has come twice", "[load][search]") {
  LimitSearch found({100, 200, 0.05, 2});
  found.learn(Trial::holds);
  REQUIRE(found.next() == 100);  // not believed yet
  found.learn(Trial::fails);
  REQUIRE(found.next() == 100);
  found.learn(Trial::holds);
  REQUIRE(found.holds() == 100);
  REQUIRE(found.next() == 200);
  REQUIRE(found.steps()[0].holds == 2);
  REQUIRE(found.steps()[0].fails == 1);
}

TEST_CASE("limit search: a noisy system is found near its limit", "[load][search]") {
  // 5 % of the trials lie.
  int near = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    rt::Random random(seed);
    LimitSearch found({1'000, 1'000'000, 0.05, 2});
    search(found, [&](std::uint64_t load) {
      const bool holds = (load <= 40'000) != (random.unit() < 0.05);
      return holds ? Trial::holds : Trial::fails;
    });
    const double holds = static_cast<double>(found.holds().value_or(0));
    near += std::fabs(holds - 40'000) < 4'000 ? 1 : 0;
  }
  REQUIRE(near > 170);
}

TEST_CASE("limit search: a load at which nothing can be claimed ends it, and says where",
          "[load][search]") {
  LimitSearch found({1'000, 1'000'000, 0.05, 2});
  search(found, [](std::uint64_t load) { return load > 7'000 ? Trial::invalid : Trial::holds; });
  REQUIRE(found.holds() == 4'000);
  REQUIRE_FALSE(found.fails().has_value());
  REQUIRE(found.unknown() == 8'000);
  REQUIRE(found.steps().back().invalid == 3);
}
