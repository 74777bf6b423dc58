// What an instance tells of what its realtime bus brings.
#include "pipe/realtime_intake.h"

#include <catch2/catch.hpp>

#include "archive/bodies.h"

namespace rt::test {
namespace {

std::string taken(RealtimeIntake& intake, std::string_view payload,
                  std::string_view channel = "rt:all", std::string_view entry = "") {
  std::string body;
  archive::encode(body, archive::RedisBody{entry, channel, payload});
  const auto heard = intake.take({RecordKind::redis, false, 0, 0, body});
  return heard ? heard->event.json : "";
}

constexpr std::string_view kOwn = R"({"type":"t","id":"1","origin":"me"})";
constexpr std::string_view kOther = R"({"type":"t","id":"1","origin":"you"})";
constexpr std::string_view kLegacy = R"({"type":"t","id":"task-7"})";

TEST_CASE("realtime intake: an own event that was told is dropped, one that was not is told",
          "[realtime]") {
  RealtimeIntake without_past("me", true);
  CHECK(taken(without_past, kOwn).empty());
  CHECK(taken(without_past, kOther) == kOther);
  RealtimeIntake with_past("me", false);
  CHECK(taken(with_past, kOwn) == kOwn);
  CHECK(with_past.counts().own == 1);
  RealtimeIntake told_already("me", false);
  CHECK(told_already.tell("1"));
  CHECK(!told_already.tell("1"));
  CHECK(taken(told_already, kOwn).empty());
  CHECK(told_already.counts().repeated == 1);
}

TEST_CASE("realtime intake: an id is ours only beside an origin; else the channel tells copies",
          "[realtime]") {
  RealtimeIntake intake("me", true);
  CHECK(taken(intake, kOther) == kOther);
  CHECK(taken(intake, kOther).empty());
  CHECK(taken(intake, kLegacy) == kLegacy);
  CHECK(taken(intake, kLegacy) == kLegacy);
  CHECK(taken(intake, kLegacy, "rt:t").empty());
  CHECK(intake.counts().repeated == 2);
  CHECK(intake.counts().heard == 3);
}

TEST_CASE("realtime intake: what it remembers has an end", "[realtime]") {
  RealtimeIntake intake("me", true);
  const auto event = [](int n) {
    return R"({"type":"t","origin":"you","id":")" + std::to_string(n) + "\"}";
  };
  for (int n = 0; n <= 4096; ++n) CHECK(!taken(intake, event(n)).empty());
  CHECK(taken(intake, event(4096)).empty());
  CHECK(taken(intake, event(1)).empty());
  CHECK(!taken(intake, event(0)).empty());  // forgotten
}

TEST_CASE("realtime intake: an entry of a stream keeps its id; a gap is no event", "[realtime]") {
  RealtimeIntake intake("me", false);
  std::string fields;
  archive::encode(fields, archive::RedisField{"data", kOther});
  std::string body;
  archive::encode(body, archive::RedisBody{"5-1", "rt:stream", fields});
  const auto heard = intake.take({RecordKind::redis, false, 0, 0, body});
  REQUIRE(heard);
  CHECK(heard->entry == RedisEntryId{5, 1});
  CHECK(heard->event.json == kOther);
  CHECK(!intake.take({RecordKind::gap, false, 0, 0, "lost"}));
  CHECK(!intake.take({RecordKind::redis, false, 0, 0, "\xff"}));
}

}  // namespace
}  // namespace rt::test
