#include "load/verdict.h"

#include <catch2/catch.hpp>

#include "load/sound_outcome.h"

using rt::ConnectFailure;
using rt::judge;
using rt::Outcome;
using rt::Scenario;
using rt::Verdict;
using rt::VerdictWord;
using rt::testing::sound_outcome;
using rt::testing::sound_scenario;

namespace {

void lose_one(Outcome& outcome) {
  outcome.phases[0].expected += 1;
  outcome.integrity.lost = 1;
}

Scenario with_threshold(const char* text) {
  Scenario scenario = sound_scenario();
  scenario.thresholds = {rt::parse_threshold(text).value()};
  return scenario;
}

}  // namespace

TEST_CASE("verdict: a sound run that meets its thresholds is PASS and 0", "[load][verdict]") {
  const Verdict verdict = judge(sound_scenario(), sound_outcome());
  REQUIRE(verdict.word == VerdictWord::pass);
  REQUIRE(verdict.exit_status == 0);
  REQUIRE(verdict.reasons.empty());
  REQUIRE(verdict.thresholds.size() == 1);
}

TEST_CASE("verdict: a missed threshold is FAIL and 1, unless it only warns", "[load][verdict]") {
  Scenario scenario = with_threshold("delivery.p95 < 10ms");
  REQUIRE(judge(scenario, sound_outcome()).word == VerdictWord::fail);
  REQUIRE(judge(scenario, sound_outcome()).exit_status == 1);
  REQUIRE(judge(scenario, sound_outcome()).reasons[0].text ==
          "delivery.p95 < 10ms: measured 21.0 ms");
  scenario.thresholds[0].severity = rt::Severity::warn;
  REQUIRE(judge(scenario, sound_outcome()).exit_status == 0);
}

TEST_CASE("verdict: a threshold that could not be measured is INVALID, never a pass",
          "[load][verdict]") {
  Outcome outcome = sound_outcome();
  outcome.target.sampled = false;
  const Verdict verdict = judge(with_threshold("target.bytes_per_connection < 30KB"), outcome);
  REQUIRE(verdict.word == VerdictWord::invalid);
  REQUIRE(verdict.exit_status == 7);
}

TEST_CASE("verdict: a lost delivery is FAIL and 6", "[load][verdict]") {
  Outcome outcome = sound_outcome();
  lose_one(outcome);
  REQUIRE(judge(sound_scenario(), outcome).word == VerdictWord::fail);
  REQUIRE(judge(sound_scenario(), outcome).exit_status == 6);
}

TEST_CASE("verdict: the first of 8, 2, 5, 3, 4, 6, 7, 1 wins and all are listed",
          "[load][verdict]") {
  const Scenario scenario = with_threshold("delivery.p95 < 10ms");  // 1
  Outcome outcome = sound_outcome();
  outcome.clock.steps = 1;  // 7
  REQUIRE(judge(scenario, outcome).exit_status == 7);
  REQUIRE(judge(scenario, outcome).word == VerdictWord::invalid);
  lose_one(outcome);  // 6
  REQUIRE(judge(scenario, outcome).exit_status == 6);
  REQUIRE(judge(scenario, outcome).word == VerdictWord::fail);
  outcome.integrity.stream_errors = 1;  // 4
  REQUIRE(judge(scenario, outcome).exit_status == 4);
  outcome.connections.asked += 1;
  outcome.connections.count(ConnectFailure::descriptors);  // 5
  REQUIRE(judge(scenario, outcome).exit_status == 5);
  REQUIRE(judge(scenario, outcome).word == VerdictWord::invalid);
  outcome.internal_fault = "broken";  // 8
  const Verdict verdict = judge(scenario, outcome);
  REQUIRE(verdict.exit_status == 8);
  std::vector<int> order;
  for (const rt::Reason& reason : verdict.reasons) order.push_back(reason.exit_status);
  REQUIRE(order == std::vector<int>{8, 5, 4, 6, 6, 7, 1});
}

TEST_CASE("verdict: an interrupted run ends with 128 and the signal", "[load][verdict]") {
  Outcome outcome = sound_outcome();
  outcome.interrupted_by = 2;
  REQUIRE(judge(sound_scenario(), outcome).exit_status == 130);
  REQUIRE(judge(sound_scenario(), outcome).word == VerdictWord::invalid);
  outcome.interrupted_by = 15;
  REQUIRE(judge(sound_scenario(), outcome).exit_status == 143);
}

TEST_CASE("verdict: a waived gate does not decide", "[load][verdict]") {
  Scenario scenario = sound_scenario();
  scenario.waived_gates = {"clock"};
  Outcome outcome = sound_outcome();
  outcome.clock.steps = 1;
  REQUIRE(judge(scenario, outcome).exit_status == 0);
}
