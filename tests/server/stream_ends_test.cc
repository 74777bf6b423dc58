// When streams end by their tokens: in order of time, and in memory bounded by the streams there
// are.
#include "server/stream_ends.h"

#include <catch2/catch.hpp>
#include <set>

#include "base/random.h"

using namespace rt;
using namespace rt::server;

namespace {

WallTime second(std::int64_t n) {
  return from_unix_us(n * 1'000'000);
}

const auto all_open = [](const StreamEnds::End&) { return true; };

}  // namespace

TEST_CASE("stream ends: each comes at its time and not before, the earliest first", "[server]") {
  StreamEnds ends;
  CHECK(ends.empty());
  CHECK_FALSE(ends.take_due(second(1'000'000)));
  Random random = Random::of(1, "stream ends");
  std::multiset<std::int64_t> expected;
  for (std::uint32_t slot = 0; slot < 1'000; ++slot) {
    const auto at = static_cast<std::int64_t>(random.below(500));
    expected.insert(at);
    ends.add({second(at), slot, 1}, all_open);
  }
  for (std::int64_t now = 0; now < 500; ++now) {
    while (const auto due = ends.take_due(second(now))) {
      REQUIRE(due->at == second(now));
      REQUIRE(expected.count(now) > 0);
      expected.erase(expected.find(now));
    }
    REQUIRE(expected.count(now) == 0);
  }
  CHECK(ends.empty());
}

TEST_CASE("stream ends: short streams with long tokens do not fill the memory", "[server]") {
  StreamEnds ends;
  constexpr std::uint32_t kOpen = 100;
  std::size_t most = 0;
  for (std::uint32_t opened = 0; opened < 100'000; ++opened) {
    // The last hundred are open, each in a slot that others had before.
    const auto is_open = [&](const StreamEnds::End& end) {
      return end.generation + kOpen >= opened;
    };
    ends.add({second(1'000'000), opened % kOpen, opened}, is_open);
    most = std::max(most, ends.size());
  }
  CHECK(most <= 2 * (kOpen + 1));
  std::size_t left = 0;
  while (const auto due = ends.take_due(second(1'000'000))) {
    if (due->generation + kOpen >= 100'000) ++left;
  }
  CHECK(left == kOpen);
}
