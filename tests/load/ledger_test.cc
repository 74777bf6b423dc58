#include "load/ledger.h"

#include <rapidcheck/catch.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

namespace {

using rt::Arrived;
using rt::Baseline;
using rt::Ledger;
using rt::Publication;

Publication published(std::uint32_t count) {
  Publication publication(1, 1);
  for (std::uint32_t i = 0; i < count; ++i) publication.assign(0, 0);
  return publication;
}

Ledger::Due settled(const Ledger& ledger, Publication& publication) {
  std::vector<Ledger::Due> due(1);
  ledger.note_seen(0, 0, publication);
  ledger.settle(0, 0, publication, due);
  return due[0];
}

}  // namespace

TEST_CASE("ledger: everything that arrives in order leaves nothing lost", "[load][ledger]") {
  Publication publication = published(3);
  Ledger ledger(1);
  ledger.opened(0, Baseline::nothing);
  for (std::uint32_t i = 1; i <= 3; ++i) REQUIRE(ledger.deliver(0, i).arrived == Arrived::first);
  CHECK(settled(ledger, publication).expected == 3);
  CHECK(settled(ledger, publication).lost == 0);
}

TEST_CASE("ledger: an event that never arrives is lost once, and named", "[load][ledger]") {
  Publication publication = published(5);
  Ledger ledger(1);
  ledger.opened(0, Baseline::nothing);
  for (const std::uint32_t i : {1U, 2U, 4U, 5U}) ledger.deliver(0, i);
  const Ledger::Due due = settled(ledger, publication);
  CHECK(due.expected == 5);
  CHECK(due.lost == 1);
  CHECK(due.first_lost == 3);
}

TEST_CASE("ledger: events missing at the end are lost too", "[load][ledger]") {
  Publication publication = published(5);
  Ledger ledger(1);
  ledger.opened(0, Baseline::nothing);
  ledger.deliver(0, 1);
  CHECK(settled(ledger, publication).lost == 4);
  CHECK(settled(ledger, publication).first_lost == 2);
}

TEST_CASE("ledger: a stream that is open and silent owes everything", "[load][ledger]") {
  Publication publication = published(7);
  Ledger ledger(1);
  ledger.opened(0, Baseline::state);
  CHECK(settled(ledger, publication).expected == 7);
  CHECK(settled(ledger, publication).lost == 7);
}

TEST_CASE("ledger: a connection that never had a stream is due nothing", "[load][ledger]") {
  Publication publication = published(7);
  const Ledger ledger(1);
  CHECK(settled(ledger, publication).expected == 0);
}

TEST_CASE("ledger: an event that arrives again is a duplicate", "[load][ledger]") {
  Publication publication = published(2);
  Ledger ledger(1);
  ledger.opened(0, Baseline::nothing);
  ledger.deliver(0, 1);
  ledger.deliver(0, 2);
  CHECK(ledger.deliver(0, 2).arrived == Arrived::duplicate);
  CHECK(ledger.deliver(0, 1).arrived == Arrived::duplicate);
  CHECK(settled(ledger, publication).lost == 0);
}

TEST_CASE("ledger: an event that arrives after a later one is reordered and not lost",
          "[load][ledger]") {
  Publication publication = published(3);
  Ledger ledger(1);
  ledger.opened(0, Baseline::nothing);
  ledger.deliver(0, 1);
  const Ledger::Verdict jump = ledger.deliver(0, 3);
  CHECK(jump.arrived == Arrived::first);
  CHECK(jump.skipped == 1);
  CHECK(ledger.deliver(0, 2).arrived == Arrived::reorder);
  CHECK(ledger.deliver(0, 2).arrived == Arrived::duplicate);
  CHECK(settled(ledger, publication).lost == 0);
}

TEST_CASE("ledger: the state a subscription begins with is not due again", "[load][ledger]") {
  Publication publication = published(10);
  Ledger ledger(1);
  ledger.opened(0, Baseline::state);
  CHECK(ledger.state(0, 6) == 0);
  CHECK(ledger.deliver(0, 6).arrived == Arrived::duplicate);
  for (std::uint32_t i = 7; i <= 10; ++i) ledger.deliver(0, i);
  CHECK(settled(ledger, publication).expected == 4);
  CHECK(settled(ledger, publication).lost == 0);
}

TEST_CASE("ledger: a later state skips what came in between, and that is lost", "[load][ledger]") {
  Publication publication = published(10);
  Ledger ledger(1);
  ledger.opened(0, Baseline::state);
  ledger.state(0, 0);
  ledger.deliver(0, 1);
  CHECK(ledger.state(0, 1) == 0);  // a resume that brings the state again skips nothing
  CHECK(ledger.state(0, 4) == 3);
  for (std::uint32_t i = 5; i <= 10; ++i) ledger.deliver(0, i);
  CHECK(settled(ledger, publication).lost == 3);
  CHECK(settled(ledger, publication).first_lost == 2);
}

TEST_CASE("ledger: without a known beginning the first arrival is the beginning",
          "[load][ledger]") {
  Publication publication = published(10);
  Ledger ledger(1);
  ledger.opened(0, Baseline::first);
  CHECK(settled(ledger, publication).expected == 0);
  ledger.deliver(0, 8);
  ledger.deliver(0, 10);
  CHECK(settled(ledger, publication).expected == 3);
  CHECK(settled(ledger, publication).lost == 1);
}

TEST_CASE("ledger: opening again changes nothing", "[load][ledger]") {
  Publication publication = published(3);
  Ledger ledger(1);
  ledger.opened(0, Baseline::nothing);
  ledger.deliver(0, 1);
  ledger.opened(0, Baseline::first);
  ledger.deliver(0, 3);
  CHECK(settled(ledger, publication).lost == 1);
}

TEST_CASE("ledger: an event in doubt is due to all once anybody received it", "[load][ledger]") {
  Publication publication = published(3);
  publication.doubt(0, 2);
  Ledger ledger(2);
  for (const std::size_t slot : {0U, 1U}) {
    ledger.opened(slot, Baseline::nothing);
    ledger.deliver(slot, 1);
    if (slot == 0) ledger.deliver(slot, 2);
    ledger.deliver(slot, 3);
  }
  std::vector<Ledger::Due> due(1);
  SECTION("received by one") {
    for (const std::size_t slot : {0U, 1U}) ledger.note_seen(slot, 0, publication);
    for (const std::size_t slot : {0U, 1U}) ledger.settle(slot, 0, publication, due);
    CHECK(due[0].expected == 6);
    CHECK(due[0].lost == 1);
    CHECK(due[0].first_lost == 2);
  }
  SECTION("received by nobody") {
    ledger.note_seen(1, 0, publication);
    ledger.settle(1, 0, publication, due);
    CHECK(due[0].expected == 2);
    CHECK(due[0].lost == 0);
  }
}

TEST_CASE("ledger: each loss belongs to the phase its event was due in", "[load][ledger]") {
  Publication publication(1, 3);
  for (const std::size_t phase : {0U, 0U, 2U, 2U}) publication.assign(0, phase);
  CHECK(publication.phase_of(0, 2) == 0);
  CHECK(publication.phase_of(0, 3) == 2);
  Ledger ledger(1);
  ledger.opened(0, Baseline::nothing);
  ledger.deliver(0, 2);
  ledger.deliver(0, 3);
  std::vector<Ledger::Due> due(3);
  ledger.settle(0, 0, publication, due);
  CHECK(due[0].expected == 2);
  CHECK(due[0].lost == 1);
  CHECK(due[0].first_lost == 1);
  CHECK(due[1].expected == 0);
  CHECK(due[2].expected == 2);
  CHECK(due[2].lost == 1);
  CHECK(due[2].first_lost == 4);
}

TEST_CASE("ledger: any order of arrivals gives the numbers of a plain set", "[load][ledger]") {
  rc::prop("as a set of what was seen", [] {
    const auto count = *rc::gen::inRange<std::uint32_t>(1, 30);
    const auto arrivals = *rc::gen::container<std::vector<std::uint32_t>>(
        rc::gen::inRange<std::uint32_t>(1, count + 1));
    Publication publication = published(count);
    Ledger ledger(1);
    ledger.opened(0, Baseline::nothing);
    std::set<std::uint32_t> seen;
    for (const std::uint32_t sequence : arrivals) {
      const bool later_seen = !seen.empty() && *seen.rbegin() > sequence;
      const bool fresh = seen.insert(sequence).second;
      const Arrived expected = !fresh       ? Arrived::duplicate
                               : later_seen ? Arrived::reorder
                                            : Arrived::first;
      RC_ASSERT(ledger.deliver(0, sequence).arrived == expected);
    }
    const Ledger::Due due = settled(ledger, publication);
    RC_ASSERT(due.expected == count);
    RC_ASSERT(due.lost == count - seen.size());
  });
}

TEST_CASE("ledger: a state that was expected excuses what it skips", "[load][ledger]") {
  rt::Publication publication(1, 1);
  for (int i = 0; i < 10; ++i) publication.assign(0, 0);
  rt::Ledger ledger(1);
  ledger.opened(0, rt::Baseline::state);
  ledger.state(0, 0);
  for (const std::uint32_t sequence : {1U, 2U, 4U}) ledger.deliver(0, sequence);  // 3 is missing
  ledger.expect_state(0);
  CHECK(ledger.state(0, 8) == 0);
  for (const std::uint32_t sequence : {9U, 10U}) {
    CHECK(ledger.deliver(0, sequence).arrived == rt::Arrived::first);
  }
  std::vector<rt::Ledger::Due> due(1);
  ledger.settle(0, 0, publication, due);
  CHECK(due[0].expected == 6);  // 1 to 4, and 9 to 10
  CHECK(due[0].lost == 1);
  CHECK(due[0].first_lost == 3);
}

TEST_CASE("ledger: where a state was expected and did not come, nothing is excused",
          "[load][ledger]") {
  rt::Publication publication(1, 1);
  for (int i = 0; i < 10; ++i) publication.assign(0, 0);
  const auto settled_after = [&](std::initializer_list<std::uint32_t> more) {
    rt::Ledger ledger(1);
    ledger.opened(0, rt::Baseline::state);
    ledger.state(0, 0);
    for (const std::uint32_t sequence : {1U, 2U, 3U, 4U}) ledger.deliver(0, sequence);
    ledger.expect_state(0);
    for (const std::uint32_t sequence : more) ledger.deliver(0, sequence);
    std::vector<rt::Ledger::Due> due(1);
    ledger.settle(0, 0, publication, due);
    CHECK(due[0].expected == 10);
    return due[0].lost;
  };
  CHECK(settled_after({5, 6, 7, 8, 9, 10}) == 0);
  CHECK(settled_after({8, 9, 10}) == 3);
  CHECK(settled_after({}) == 6);
}

TEST_CASE("ledger: who leaves is owed what it saw up to then, and who comes begins anew",
          "[load][ledger]") {
  rt::Publication publication(1, 1);
  for (int i = 0; i < 10; ++i) publication.assign(0, 0);
  rt::Ledger ledger(1);
  ledger.opened(0, rt::Baseline::nothing);
  for (const std::uint32_t sequence : {1U, 2U, 4U}) ledger.deliver(0, sequence);  // 3 is missing
  ledger.retire(0);
  CHECK_FALSE(ledger.is_open(0));
  ledger.opened(0, rt::Baseline::first);
  CHECK(ledger.deliver(0, 7).arrived == rt::Arrived::first);
  for (const std::uint32_t sequence : {8U, 9U, 10U}) ledger.deliver(0, sequence);
  std::vector<rt::Ledger::Due> due(1);
  ledger.settle(0, 0, publication, due);
  CHECK(due[0].expected == 8);  // 1 to 4, and 7 to 10
  CHECK(due[0].lost == 1);
  CHECK(due[0].first_lost == 3);
}

TEST_CASE(
    "ledger: a state after a resume shows what is missing, also of who saw nothing but a state",
    "[load][ledger]") {
  rt::Ledger ledger(1);
  ledger.opened(0, rt::Baseline::state);
  CHECK(ledger.state(0, 0) == 0);
  CHECK(ledger.state(0, 5) == 5);
}

TEST_CASE("ledger: who waits for a first event in vain is deaf once one was taken long after",
          "[load][ledger]") {
  rt::Publication publication(2, 1);
  rt::Ledger ledger(3);
  const std::uint32_t opened_ms = 0xFFFFFF00;  // the counter goes round meanwhile
  ledger.opened(0, rt::Baseline::first, opened_ms);
  ledger.opened(1, rt::Baseline::nothing, opened_ms);
  CHECK_FALSE(ledger.is_deaf(0, 0, publication));
  publication.acknowledge(0, opened_ms + 1'000);
  CHECK_FALSE(ledger.is_deaf(0, 0, publication));
  publication.acknowledge(0, opened_ms + 1'001);
  CHECK(ledger.is_deaf(0, 0, publication));
  CHECK_FALSE(ledger.is_deaf(0, 1, publication));
  CHECK_FALSE(ledger.is_deaf(1, 0, publication));          // everything is due to it
  CHECK_FALSE(ledger.is_deaf(2, 0, publication));          // never had a stream
  ledger.opened(0, rt::Baseline::first, opened_ms + 500);  // a new stream after a loss
  CHECK_FALSE(ledger.is_deaf(0, 0, publication));
  publication.acknowledge(0, opened_ms + 2'000);
  CHECK(ledger.is_deaf(0, 0, publication));
  ledger.deliver(0, 9);
  CHECK_FALSE(ledger.is_deaf(0, 0, publication));
}
