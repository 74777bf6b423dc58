// What is said of a subscriber, given what it should have received and what it did.
#include "rtreplay/delivery_judge.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/position.h"
#include "base/random.h"

using namespace rt;
using namespace rt::rtreplay;

namespace {

// Transactions of three events each, on keys that take turns.
std::vector<ExpectedEvent> stream(int transactions) {
  std::vector<ExpectedEvent> all;
  for (int t = 1; t <= transactions; ++t) {
    for (std::uint32_t i = 0; i < 3; ++i) {
      ExpectedEvent event;
      event.transaction = static_cast<std::uint64_t>(t) * 0x100;
      event.id = Position{event.transaction, i}.text();
      event.key = 1 + i % 2;
      event.fields =
          event_fields("delta", {}, R"({"id":"r","n":)" + std::to_string(all.size()) + "}");
      all.push_back(std::move(event));
    }
  }
  return all;
}

ReceivedEvent received(const ExpectedEvent& event) {
  ReceivedEvent out;
  out.id = event.id;
  out.fields = event.fields;
  return out;
}

std::vector<ReceivedEvent> all_of(const std::vector<ExpectedEvent>& expected) {
  std::vector<ReceivedEvent> out;
  for (const ExpectedEvent& event : expected) out.push_back(received(event));
  return out;
}

constexpr std::size_t kGapAt = 1'000'000;  // a line that is a gap

Delivery judge(const std::vector<ExpectedEvent>& expected, std::vector<ReceivedEvent> log,
               bool ordered = true, std::size_t window = 64) {
  DeliveryJudge::Options options;
  options.ordered_ids = ordered;
  options.window = window;
  if (ordered && !expected.empty()) {
    options.last_id = Position{expected.back().transaction, Position::kEnd}.text();
  }
  std::size_t at = 0;
  DeliveryJudge judge(
      [&](ExpectedEvent& event) -> Result<bool> {
        if (at == expected.size()) return false;
        event = expected[at++];
        return true;
      },
      options);
  std::size_t line = 0;
  for (ReceivedEvent& event : log) {
    if (event.line == kGapAt) {
      judge.gap();
      continue;
    }
    event.line = ++line;
    REQUIRE(judge.take(event));
  }
  return judge.finish().value();
}

using Counts = std::array<std::uint64_t, 6>;  // missing, duplicate, phantom, reordered, torn, wrong

}  // namespace

TEST_CASE("judge: everything once and in order is complete, however long", "[judge]") {
  for (const int transactions : {0, 1, 20, 500}) {
    for (const bool ordered : {true, false}) {
      const auto expected = stream(transactions);
      const Delivery found = judge(expected, all_of(expected), ordered);
      CHECK_FALSE(found.violated());
      CHECK(found.behind == 0);
      CHECK(found.expected == expected.size());
      CHECK(found.matched == expected.size());
    }
  }
}

TEST_CASE("judge: each fault is counted as what it is, and the first is named", "[judge]") {
  const auto expected = stream(20);
  auto log = all_of(expected);
  SECTION("one left out: missing, and its transaction torn") {
    log.erase(log.begin() + 31);
    const Delivery found = judge(expected, log);
    CHECK(found.faults == Counts{1, 0, 0, 0, 1, 0});
    CHECK(found.first[0].id == expected[31].id);
    CHECK(found.first[4].id == expected[31].id);
  }
  SECTION("a whole transaction left out: missing, not torn") {
    log.erase(log.begin() + 30, log.begin() + 33);
    CHECK(judge(expected, log).faults == Counts{3, 0, 0, 0, 0, 0});
  }
  SECTION("one twice: a duplicate, at once or later") {
    log.insert(log.begin() + 8, log[7]);
    log.insert(log.begin() + 20, log[7]);
    const Delivery found = judge(expected, log);
    CHECK(found.faults == Counts{0, 2, 0, 0, 0, 0});
    CHECK(found.first[1].line == 9);
  }
  SECTION("two swapped in one transaction: reordered, neither missing nor torn") {
    std::swap(log[30], log[32]);  // the same key
    const Delivery found = judge(expected, log);
    CHECK(found.faults == Counts{0, 0, 0, 2, 0, 0});
    CHECK(found.reordered_in_key == 1);
  }
  SECTION("two swapped across transactions: the first was seen in part") {
    std::swap(log[32], log[33]);
    CHECK(judge(expected, log).faults == Counts{0, 0, 0, 1, 1, 0});
  }
  SECTION("one that nobody sent: a phantom") {
    ReceivedEvent made_up = log[10];
    made_up.id = Position{0x405, 0}.text();
    log.insert(log.begin() + 12, made_up);
    const Delivery found = judge(expected, log);
    CHECK(found.faults == Counts{0, 0, 1, 0, 0, 0});
    CHECK(found.first[2].line == 13);
  }
  SECTION("another content under the same id") {
    log[5].fields = event_fields("delta", {}, R"({"id":"r","n":99})");
    CHECK(judge(expected, log).faults == Counts{0, 0, 0, 0, 0, 1});
  }
  SECTION("a log that ends early, in mid-transaction: behind, nothing else") {
    log.resize(40);
    const Delivery found = judge(expected, log);
    CHECK_FALSE(found.violated());
    CHECK(found.behind == 20);
    CHECK(found.behind_from == expected[40].id);
  }
  SECTION("an empty log is behind with everything") {
    CHECK(judge(expected, {}).behind == 60);
    CHECK_FALSE(judge(expected, {}).violated());
  }
}

TEST_CASE("judge: a gap that was told excuses what is skipped in it, and no more", "[judge]") {
  const auto expected = stream(20);
  auto log = all_of(expected);
  log.erase(log.begin() + 50);
  log.erase(log.begin() + 10, log.begin() + 20);
  ReceivedEvent gap;
  gap.line = kGapAt;
  log.insert(log.begin() + 10, gap);
  const Delivery found = judge(expected, log);
  CHECK(found.announced == 10);
  CHECK(found.count(Fault::missing) == 1);
  CHECK(found.first[0].id == expected[50].id);
}

TEST_CASE("judge: rows as they are say where a subscriber begins", "[judge]") {
  const auto expected = stream(20);
  auto log = all_of(expected);
  log.erase(log.begin(), log.begin() + 12);
  ReceivedEvent row;
  row.state = true;
  row.id = Position{0, 0}.text();
  ReceivedEvent last;
  last.initial = true;
  last.id = expected[11].id;
  last.fields = event_fields("initial", {}, R"({"id":"r","n":11,"x":1})");
  log.insert(log.begin(), {row, row, last});
  const Delivery found = judge(expected, log);
  CHECK_FALSE(found.violated());
  CHECK(found.state_rows == 3);
  CHECK(found.matched == 48);
  // Without them the same log has a hole at its start.
  log.erase(log.begin(), log.begin() + 3);
  const Delivery late = judge(expected, log);
  CHECK(late.count(Fault::missing) == 12);
  CHECK(late.missing_at_start == 12);
}

TEST_CASE("judge: what nobody recorded cannot be judged", "[judge]") {
  auto expected = stream(20);
  auto log = all_of(expected);
  ReceivedEvent other = log[0];
  other.id = Position{0x50, 0}.text();
  log.insert(log.begin(), other);
  other.id = Position{0x9000, 0}.text();
  log.push_back(other);
  other.id = Position{0x750, 0}.text();  // where the recorder was blind
  expected[21].after_gap = true;
  log.insert(log.begin() + 22, other);
  const Delivery found = judge(expected, log);
  CHECK_FALSE(found.violated());
  CHECK(found.outside == 3);
  CHECK(found.behind == 0);
}

TEST_CASE("judge: without ids events are known by what they say", "[judge]") {
  auto expected = stream(30);
  for (ExpectedEvent& event : expected) {
    event.id.clear();
    event.transaction = 0;
  }
  auto log = all_of(expected);
  CHECK_FALSE(judge(expected, log, false).violated());
  auto without = log;
  without.erase(without.begin() + 40);
  without.insert(without.begin() + 50, without[49]);
  std::swap(without[60], without[61]);
  CHECK(judge(expected, without, false).faults == Counts{1, 1, 0, 1, 0, 0});
  // All the same: only their number can be told.
  for (ExpectedEvent& event : expected) event.fields = event_fields("tick", {}, "1");
  CHECK_FALSE(judge(expected, all_of(expected), false).violated());
}

TEST_CASE("judge: what is known only in part is compared in part", "[judge]") {
  auto expected = stream(2);
  expected[1].body = ExpectedEvent::Body::part;
  expected[1].fields = event_fields({}, {}, R"({"id":"r","n":1,"x":5})");
  expected[2].body = ExpectedEvent::Body::any;
  expected[2].required = false;
  auto log = all_of(expected);
  log[1].fields = event_fields("delta", {}, R"({"id":"r","x":5,"toast":"?"})");
  log[2].fields = event_fields("delta", {}, R"({"id":"r","left":true})");
  CHECK_FALSE(judge(expected, log).violated());
  log[1].fields = event_fields("delta", {}, R"({"id":"r","x":6})");
  CHECK(judge(expected, log).count(Fault::wrong_body) == 1);
  log.erase(log.begin() + 2);
  CHECK(judge(expected, log).count(Fault::missing) == 0);
}

TEST_CASE("judge: any mixture of losses and repetitions far apart is counted exactly", "[judge]") {
  Random random(20261121);
  for (int round = 0; round < 200; ++round) {
    const auto expected = stream(100);
    std::vector<ReceivedEvent> log;
    std::uint64_t lost = 0;
    std::uint64_t twice = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const bool last = i + 1 == expected.size();
      const auto dice = random.below(10);
      if (dice == 0 && !last) {
        ++lost;
        continue;
      }
      log.push_back(received(expected[i]));
      if (dice == 1) {
        log.push_back(received(expected[i]));
        ++twice;
      }
    }
    const Delivery found = judge(expected, log);
    CHECK(found.count(Fault::missing) == lost);
    CHECK(found.count(Fault::duplicate) == twice);
    CHECK(found.count(Fault::phantom) == 0);
    CHECK(found.count(Fault::reordered) == 0);
    CHECK(found.matched == expected.size() - lost);
  }
}

TEST_CASE("judge: what it holds is counted in bytes, and bounded whatever an event's size",
          "[judge]") {
  auto expected = stream(2000);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    auto& fields = expected[i].fields;
    for (std::uint64_t column = 0; column < 500; ++column) fields.push_back({column, i});
    std::sort(fields.begin(), fields.end());
  }
  const bool ordered = GENERATE(true, false);
  CAPTURE(ordered);
  DeliveryJudge::Options options;
  options.ordered_ids = ordered;
  options.last_id = Position{expected.back().transaction, Position::kEnd}.text();
  options.bytes_max = 1024 * 1024;  // some 120 of these events
  std::size_t at = 0;
  DeliveryJudge judge(
      [&](ExpectedEvent& event) -> Result<bool> {
        if (at == expected.size()) return false;
        event = expected[at++];
        return true;
      },
      options);
  std::uint64_t lost = 0;
  std::uint64_t twice = 0;
  std::size_t most = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool last = i + 1 == expected.size();
    if (i % 7 == 3 && !last) {
      ++lost;
      continue;
    }
    REQUIRE(judge.take(received(expected[i])));
    if (i % 50 == 0) {
      REQUIRE(judge.take(received(expected[i])));
      ++twice;
    }
    most = std::max(most, judge.held_bytes());
  }
  CHECK(most > options.bytes_max / 2);
  CHECK(most <= options.bytes_max + 10'000);
  const Delivery found = judge.finish().value();
  CHECK(found.count(Fault::missing) == lost);
  CHECK(found.matched == expected.size() - lost);
  CHECK(found.count(Fault::phantom) == 0);
  CHECK(found.expected == expected.size());
  CHECK(found.count(Fault::duplicate) == twice);
}
