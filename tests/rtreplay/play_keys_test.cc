#include "rtreplay/play_keys.h"

#include <catch2/catch.hpp>

using namespace rt;
using namespace rt::rtreplay;

namespace {

using Kind = PlayCommand::Kind;
constexpr Instant kNow{std::chrono::seconds(5)};

std::vector<Kind> commands(PlayKeys& keys, std::string_view pressed) {
  std::vector<Kind> kinds;
  for (const PlayKeys::Wish& wish : keys.take(pressed, kNow)) {
    REQUIRE(wish.kind == PlayKeys::Wish::Kind::command);
    CHECK(wish.command.at == kNow);
    kinds.push_back(wish.command.kind);
  }
  return kinds;
}

}  // namespace

TEST_CASE("play keys: each key is one command, others are none", "[rtreplay]") {
  PlayKeys keys;
  CHECK(commands(keys, " s.r+=-<1q") == std::vector<Kind>{Kind::pause_or_resume, Kind::step,
                                                          Kind::step, Kind::step_row, Kind::faster,
                                                          Kind::faster, Kind::slower, Kind::slower,
                                                          Kind::normal_speed, Kind::quit});
  CHECK(commands(keys, "xyz\t\n\x7f\x01").empty());
}

TEST_CASE("play keys: arrows are commands, other sequences are ignored whole", "[rtreplay]") {
  PlayKeys keys;
  CHECK(commands(keys, "\x1b[A\x1b[B\x1bOC") ==
        std::vector<Kind>{Kind::faster, Kind::slower, Kind::step});
  CHECK(commands(keys, "\x1b[1;5Aq") == std::vector<Kind>{Kind::faster, Kind::quit});
  CHECK(commands(keys, "\x1b[15~ ") == std::vector<Kind>{Kind::pause_or_resume});
}

TEST_CASE("play keys: a place is typed, mended, and taken by Enter", "[rtreplay]") {
  PlayKeys keys;
  CHECK(commands(keys, "g1/4Dx").empty());
  CHECK(keys.typed() == "go to (id, LSN or time): 1/4Dx");
  CHECK(commands(keys, "\x7f\x1b[A").empty());
  CHECK(keys.typed() == "go to (id, LSN or time): 1/4D");
  const auto wishes = keys.take("\n", kNow);
  REQUIRE(wishes.size() == 1);
  CHECK(wishes[0].command.kind == Kind::seek);
  CHECK(std::get<Position>(wishes[0].command.to->at) == Position{0x10000004D, 0});
  CHECK(keys.typed().empty());
}

TEST_CASE("play keys: Escape and an empty line call a place off, nonsense is said", "[rtreplay]") {
  PlayKeys keys;
  CHECK(commands(keys, "gq\x1b").empty());
  CHECK(keys.typed().empty());
  CHECK(commands(keys, "g\n").empty());
  const auto wishes = keys.take("gsoon\n", kNow);
  REQUIRE(wishes.size() == 1);
  CHECK(wishes[0].kind == PlayKeys::Wish::Kind::unclear);
  CHECK_THAT(wishes[0].text, Catch::Contains("\"soon\" is no place"));
  keys.take("g" + std::string(500, 'x'), kNow);
  CHECK(keys.typed().size() < 100);
}

TEST_CASE("play keys: help is asked for", "[rtreplay]") {
  PlayKeys keys;
  const auto wishes = keys.take("?", kNow);
  REQUIRE(wishes.size() == 1);
  CHECK(wishes[0].kind == PlayKeys::Wish::Kind::help);
  CHECK(PlayKeys::help().size() >= 7);
}
