#include "load/merge.h"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "load/slowest.h"
#include "load/sound_outcome.h"

using rt::Outcome;
using rt::RunPart;
using rt::testing::sound_outcome;
using rt::testing::sound_scenario;

namespace {

// An outcome without counts: what each shard begins with.
Outcome empty_part(unsigned number, unsigned shards) {
  Outcome part = sound_outcome();
  part.part = RunPart{"r1", shards, {number}};
  part.connections = {};
  part.connect = part.first_event = {};
  part.integrity = {};
  part.series.clear();
  part.slowest = {5, {}};
  rt::PhaseOutcome& main = part.phases[0];
  main.offered = main.sent = main.acknowledged = main.events = main.expected = main.received = 0;
  main.late = main.publish = main.delivery = main.intended = {};
  main.commit_to_wire = main.receive_queue = {};
  part.client.loop_lag = {};
  return part;
}

struct Observation {
  std::int64_t delivery_us;
  std::int64_t late_us;
  std::uint64_t second;
  bool lost;
  bool corrupt;
};

void observe(Outcome& outcome, const Observation& seen) {
  rt::PhaseOutcome& main = outcome.phases[0];
  ++main.offered, ++main.sent, ++main.acknowledged, ++main.events, ++main.expected;
  main.late.record(seen.late_us);
  main.publish.record(seen.late_us + 900);
  ++outcome.connections.asked, ++outcome.connections.held;
  outcome.connect.record(seen.late_us);
  if (seen.lost) {
    ++outcome.integrity.lost;
    outcome.integrity.first_lost = "topic a";
    return;
  }
  if (seen.corrupt) {
    outcome.integrity.corrupt = outcome.integrity.corrupt.value_or(0) + 1;
    outcome.integrity.first_corrupt = "topic a";
  }
  ++main.received, ++outcome.integrity.received, ++outcome.integrity.parsed;
  main.delivery.record(seen.delivery_us);
  main.intended.record(seen.delivery_us + seen.late_us);
  rt::SlowDeliveries slow;
  slow.list.push_back({seen.delivery_us, "main", "a", static_cast<std::uint32_t>(seen.second),
                       static_cast<std::uint64_t>(seen.late_us), 1, 2, 3, 4});
  rt::add_slowest(outcome.slowest, slow);
  auto at = std::find_if(outcome.series.begin(), outcome.series.end(), [&](const auto& sample) {
    return sample.at_s >= static_cast<double>(seen.second);
  });
  if (at == outcome.series.end() || at->at_s > static_cast<double>(seen.second)) {
    at = outcome.series.insert(at, rt::SecondSample{});
    at->at_s = static_cast<double>(seen.second);
  }
  ++at->received;
  auto histogram = rt::Histogram::from_sparse(at->delivery).value();
  histogram.record(seen.delivery_us);
  at->delivery = histogram.sparse();
  at->p50_us = histogram.percentile_us(0.5);
  at->p95_us = histogram.percentile_us(0.95);
  at->max_us = static_cast<double>(histogram.max_us());
}

Observation observation() {
  return {*rc::gen::inRange<std::int64_t>(1, 400'000), *rc::gen::inRange<std::int64_t>(1, 900),
          *rc::gen::inRange<std::uint64_t>(1, 8), *rc::gen::inRange(0, 20) == 0,
          *rc::gen::inRange(0, 10) == 0};
}

bool same(const rt::PhaseOutcome& a, const rt::PhaseOutcome& b) {
  return a.offered == b.offered && a.sent == b.sent && a.acknowledged == b.acknowledged &&
         a.events == b.events && a.expected == b.expected && a.received == b.received &&
         a.delivery == b.delivery && a.intended == b.intended && a.late == b.late &&
         a.publish == b.publish;
}

bool same(const Outcome& a, const Outcome& b) {
  const auto seconds = [](const rt::SecondSample& x, const rt::SecondSample& y) {
    return x.at_s == y.at_s && x.received == y.received && x.p50_us == y.p50_us &&
           x.p95_us == y.p95_us && x.max_us == y.max_us;
  };
  const auto slow = [](const rt::SlowDelivery& x, const rt::SlowDelivery& y) {
    return x.delivery_us == y.delivery_us && x.connection == y.connection && x.event == y.event;
  };
  return std::equal(a.slowest.list.begin(), a.slowest.list.end(), b.slowest.list.begin(),
                    b.slowest.list.end(), slow) &&
         same(a.phases[0], b.phases[0]) && a.connect == b.connect &&
         a.integrity.lost == b.integrity.lost && a.integrity.first_lost == b.integrity.first_lost &&
         a.integrity.corrupt == b.integrity.corrupt &&
         a.integrity.first_corrupt == b.integrity.first_corrupt &&
         a.integrity.received == b.integrity.received && a.connections.held == b.connections.held &&
         a.part->have == b.part->have &&
         std::equal(a.series.begin(), a.series.end(), b.series.begin(), b.series.end(), seconds);
}

Outcome merged(std::initializer_list<Outcome> parts) {
  return rt::merge_outcomes(std::vector<Outcome>(parts)).value();
}

}  // namespace

TEST_CASE("merge: the sum of shards is what one machine would have counted, in any order",
          "[load][merge]") {
  rc::check([] {
    Outcome whole = empty_part(0, 1);
    std::vector<Outcome> parts = {empty_part(0, 3), empty_part(1, 3), empty_part(2, 3)};
    const int seen = *rc::gen::inRange(1, 60);
    for (int i = 0; i < seen; ++i) {
      const Observation one = observation();
      observe(whole, one);
      observe(parts[static_cast<std::size_t>(*rc::gen::inRange(0, 3))], one);
    }
    whole.part = RunPart{"r1", 3, {0, 1, 2}};
    const Outcome straight = merged({parts[0], parts[1], parts[2]});
    RC_ASSERT(same(straight, whole));
    RC_ASSERT(same(merged({parts[2], parts[0], parts[1]}), straight));
    RC_ASSERT(same(merged({merged({parts[0], parts[1]}), parts[2]}), straight));
    RC_ASSERT(same(merged({parts[0], merged({parts[1], parts[2]})}), straight));
  });
}

TEST_CASE("merge: parts of different runs are refused", "[load][merge]") {
  const auto refused = [](auto change) {
    Outcome other = empty_part(1, 2);
    change(other);
    const auto result = rt::merge_outcomes(std::vector<Outcome>{empty_part(0, 2), other});
    REQUIRE_FALSE(result.has_value());
    REQUIRE(result.error().code == rt::Code::usage);
    return result.error().text;
  };
  REQUIRE(refused([](Outcome& o) { o.scenario_sha256 = "other"; }).find("scenario") !=
          std::string::npos);
  REQUIRE(refused([](Outcome& o) { o.seed = 43; }).find("seed 42 and seed 43") !=
          std::string::npos);
  REQUIRE(refused([](Outcome& o) { o.part->run_id = "r2"; }).find("run id r1 and run id r2") !=
          std::string::npos);
  REQUIRE(refused([](Outcome& o) { o.part->shards = 3; }).find("2 shards and 3") !=
          std::string::npos);
  REQUIRE(refused([](Outcome& o) { o.part->have = {0}; }).find("shard 0 twice") !=
          std::string::npos);
  REQUIRE(refused([](Outcome& o) { o.part.reset(); }).find("not of a shard") != std::string::npos);
  REQUIRE(refused([](Outcome& o) { o.phases[0].name = "other"; }).find("phases") !=
          std::string::npos);
}

TEST_CASE("merge: the worst connection of all is the worst of the shards", "[load][merge]") {
  const auto part = [](unsigned shard, double high_us, bool never) {
    Outcome one = empty_part(shard, 3);
    one.worst = {{"worst_conn", "", 300'000, high_us / 1.2, high_us, never,
                  "connection " + std::to_string(shard)}};
    return one;
  };
  const Outcome slow =
      merged({part(0, 10'000, false), part(1, 90'000, false), part(2, 20'000, false)});
  REQUIRE(slow.worst.size() == 1);
  CHECK(slow.worst[0].who == "connection 1");
  const Outcome lost = merged({part(0, 10'000, true), part(1, 90'000, false)});
  CHECK(lost.worst[0].who == "connection 0");
  CHECK(lost.worst[0].never);
}

TEST_CASE("merge: the worst machine decides what a gate about machines says", "[load][merge]") {
  std::vector<Outcome> parts;
  for (unsigned shard = 0; shard < 4; ++shard) {
    parts.push_back(sound_outcome());
    parts.back().part = RunPart{"r1", 4, {shard}};
  }
  // One of four was late for 2 %: the sum would call it 0.5 %.
  for (int i = 0; i < 120; ++i) parts[2].phases[0].late.record(40'000);
  const Outcome sum = rt::merge_outcomes(parts).value();
  REQUIRE(sum.phases[0].late.percentile_us(0.99) < 30'000);
  const rt::Verdict verdict = rt::judge_merged(sound_scenario(), sum, parts);
  REQUIRE(verdict.word == rt::VerdictWord::invalid);
  REQUIRE(verdict.exit_status == 7);
  REQUIRE(verdict.reasons[0].text.find("shard 2: late p99") != std::string::npos);
  parts[2] = parts[1];
  parts[2].part->have = {2};
  const Outcome sound = rt::merge_outcomes(parts).value();
  REQUIRE(rt::judge_merged(sound_scenario(), sound, parts).word == rt::VerdictWord::pass);
  REQUIRE(sound.target.bytes_per_connection == Approx(11'264 / 4.0));  // one server for all
}

TEST_CASE("merge: one clock that had to be probed makes the whole run one of probed clocks",
          "[load][merge]") {
  for (const unsigned probed : {0U, 1U}) {
    std::vector<Outcome> parts;
    for (unsigned shard = 0; shard < 2; ++shard) {
      parts.push_back(sound_outcome());
      parts.back().part = RunPart{"r1", 2, {shard}};
    }
    parts[probed].clock.mode = "probe";
    REQUIRE(rt::merge_outcomes(parts).value().clock.mode == "probe");
  }
}
