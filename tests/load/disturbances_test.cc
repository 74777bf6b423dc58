#include "load/disturbances.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "load/lifetimes.h"
#include "load/shard.h"

namespace {

using rt::Disturbances;
using rt::DurationSpec;
using rt::Instant;
using namespace std::chrono_literals;

rt::Scenario scenario_with(const std::string& sections) {
  const auto scenario = rt::parse_scenario(R"({"name": "x",
    "target": {"preset": "raw", "url": "http://127.0.0.1:1/"},
    "phases": [{"name": "ramp", "connections": {"to": 1}},
               {"name": "main", "hold": "10s", "measure": true}],)" +
                                               sections + "}",
                                           "test");
  if (!scenario) FAIL(scenario.error().text);
  return *scenario;
}

}  // namespace

TEST_CASE("disturbances: each is due once, after its phase began, in order of time",
          "[load][behaviour]") {
  const rt::Scenario scenario = scenario_with(R"(
    "cohorts": [{"name": "slow", "share": 0.1, "from": "main", "read": {"bytes_per_s": "1KiB"}}],
    "reconnect": {"storms": [{"at": "main+5s", "share": 0.5}]},
    "faults": [{"at": "main+2s", "do": "reset"}, {"at": "ramp", "do": "exec", "cmd": ["true"]}])");
  Disturbances plan(scenario);
  const Instant begin{1h};
  CHECK_FALSE(plan.next(begin + 1h));
  plan.phase_begins(0, begin);
  auto due = plan.next(begin);
  REQUIRE(due);
  CHECK(due->kind == Disturbances::Due::Kind::fault);
  CHECK(due->index == 1);
  CHECK_FALSE(plan.next(begin + 1h));
  plan.phase_begins(1, begin + 1s);
  plan.phase_begins(1, begin + 9s);  // said again: the first counts
  due = plan.next(begin + 1s);
  REQUIRE(due);
  CHECK(due->kind == Disturbances::Due::Kind::cohort);
  CHECK_FALSE(plan.next(begin + 2999ms));
  due = plan.next(begin + 10s);
  REQUIRE(due);
  CHECK(due->kind == Disturbances::Due::Kind::fault);
  CHECK(due->at == begin + 3s);
  due = plan.next(begin + 10s);
  REQUIRE(due);
  CHECK(due->kind == Disturbances::Due::Kind::storm);
  CHECK_FALSE(plan.next(begin + 1h));
}

TEST_CASE("lifetimes: each distribution has the middle that was asked for", "[load][behaviour]") {
  const auto median = [](const DurationSpec& spec) {
    std::vector<rt::Duration> all;
    for (std::uint64_t n = 0; n < 10'001; ++n) {
      rt::Random random = rt::Random::of(1, "t", n);
      all.push_back(draw(spec, random));
    }
    std::sort(all.begin(), all.end());
    return std::chrono::duration<double>(all[5'000]).count();
  };
  CHECK(median({DurationSpec::Dist::fixed, 4s, 4s}) == 4);
  CHECK(median({DurationSpec::Dist::uniform, 2s, 6s}) == Approx(4).epsilon(0.05));
  CHECK(median({DurationSpec::Dist::exponential, 10s, 10s}) == Approx(6.93).epsilon(0.05));
  CHECK(median({DurationSpec::Dist::lognormal, 3s, 60s}) == Approx(3).epsilon(0.05));
}

TEST_CASE("cohorts: a connection's cohort depends on its number alone, and shares hold",
          "[load][behaviour]") {
  const rt::Scenario scenario = scenario_with(R"(
    "cohorts": [{"name": "a", "share": 0.1, "read": {"bytes_per_s": "1KiB"}},
                {"name": "b", "share": 0.3, "from": "main", "link": {"rtt": "100ms"}}])");
  rt::ShardPlan plan;
  plan.seed = 5;
  plan.phases = 2;
  plan.cohorts = scenario.cohorts;
  std::array<int, 3> counts{};
  for (std::uint64_t k = 0; k < 20'000; ++k) ++counts[plan.cohort_of(k)];
  CHECK(counts[1] == Approx(2'000).epsilon(0.1));
  CHECK(counts[2] == Approx(6'000).epsilon(0.1));
  CHECK(plan.bucket_of(0, 1) == 1);
  CHECK(plan.bucket_of(1, 0) == 2);
  CHECK(plan.bucket_of(2, 0) == 0);  // "b" behaves from "main" on
  CHECK(plan.bucket_of(2, 1) == 5);
  CHECK(plan.replay_bucket() == 6);
}
