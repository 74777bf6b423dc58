#include "load/recent_positions.h"

#include <catch2/catch.hpp>

using rt::Position;
using rt::RecentPositions;

TEST_CASE("recent positions: so many events before one, however many subscribers saw each",
          "[load][recent]") {
  RecentPositions recent(100);
  for (std::uint64_t lsn = 10; lsn < 30; ++lsn) {
    for (int subscriber = 0; subscriber < 3; ++subscriber) recent.saw({lsn, 0});
  }
  CHECK(recent.before({29, 0}, 5) == Position{24, 0});
  CHECK(recent.before({1'000, 0}, 1) == Position{29, 0});
  CHECK(recent.before({12, 0}, 100) == Position{10, 0});  // the oldest there is
  CHECK_FALSE(recent.before({10, 0}, 1));
}

TEST_CASE("recent positions: the oldest are forgotten, and none are kept if none are wanted",
          "[load][recent]") {
  RecentPositions recent(3);
  for (std::uint64_t lsn = 1; lsn <= 10; ++lsn) recent.saw({lsn, 0});
  CHECK(recent.before({11, 0}, 100) == Position{8, 0});
  RecentPositions none(0);
  none.saw({1, 0});
  CHECK_FALSE(none.before({2, 0}, 1));
}
