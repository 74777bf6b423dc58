// Shards that agree on a start at a URL.
#include "rtbench/meeting.h"

#include <catch2/catch.hpp>

#include "integration/patience.h"
#include "rtbench/page_server.h"

using rt::Code;
using rt::Rendezvous;
using rt::WallTime;
using rt::rtbench::agree_at_url;

namespace {

// Where nobody listens any more.
std::string free_url(const rt::Clock& clock) {
  const auto pages = rt::rtbench::PageServer::start("127.0.0.1:0", {}, clock);
  REQUIRE(pages);
  return (*pages)->url().substr(0, (*pages)->url().size() - 1);
}

struct Meeting {
  rt::Duration patience = std::chrono::seconds(30);
  rt::SystemClock clock;
  std::string url = free_url(clock);
  rt::Pause pause = [](std::chrono::milliseconds) {
    rt::test::linger(std::chrono::milliseconds(2));
    return 0;
  };

  rt::Result<WallTime> come(unsigned shard, unsigned count, const std::string& scenario = "5a") {
    const Rendezvous place{url, "r1", scenario, {shard, count}, std::chrono::seconds(20), patience};
    return agree_at_url(place, clock, pause);
  }
};

}  // namespace

TEST_CASE("meeting: a shard that is alone in its run starts", "[meeting]") {
  Meeting meeting;
  const auto start = meeting.come(0, 1);
  REQUIRE(start);
  CHECK(*start > meeting.clock.wall() + std::chrono::seconds(10));
}

TEST_CASE("meeting: shard 0 waits for those who are missing, and names them", "[meeting]") {
  Meeting meeting;
  meeting.patience = std::chrono::milliseconds(300);
  const auto start = meeting.come(0, 3);
  REQUIRE_FALSE(start);
  CHECK(start.error().code == Code::unreachable);
  CHECK(start.error().text == "shard 1, 2 did not come to " + meeting.url + " within 300ms");
}

TEST_CASE("meeting: without a shard 0 the others give up", "[meeting]") {
  Meeting meeting;
  meeting.patience = std::chrono::milliseconds(300);
  const auto start = meeting.come(1, 2);
  REQUIRE_FALSE(start);
  CHECK(start.error().code == Code::unreachable);
  CHECK_THAT(start.error().text, Catch::StartsWith("shard 0 did not come to "));
}

TEST_CASE("meeting: a place that is not this machine's is none for shard 0", "[meeting]") {
  Meeting meeting;
  meeting.url = "http://192.0.2.1:7000";  // of documentation (RFC 5737): nobody's
  const auto start = meeting.come(0, 2);
  REQUIRE_FALSE(start);
  CHECK_THAT(start.error().text, Catch::StartsWith("cannot meet at http://192.0.2.1:7000: "));
  CHECK_THAT(start.error().hint, Catch::Contains("shard 0"));
}

TEST_CASE("meeting: a signal ends the wait", "[meeting]") {
  Meeting meeting;
  meeting.pause = [](std::chrono::milliseconds) { return 15; };
  CHECK(meeting.come(0, 2).error().code == Code::cancelled);
  CHECK(meeting.come(1, 2).error().code == Code::cancelled);
}
